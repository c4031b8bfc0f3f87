//! `cargo xtask bundle`: a signed release in one file.

use crate::product;
use crate::workspace::target;
use clap::Args;
use concord_base::{Clock, Fault, SystemClock};
use concord_bundle::{BundleError, MakeOptions};
use concord_testkit::{Result, Trouble, trouble};
use std::path::PathBuf;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    product: product::Source,
    /// The directory of keys; made if it is not there.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Where the bundle goes.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How long it is valid.
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    expires_days: u32,
    /// Version of the metadata, which must grow; without it the time of day.
    #[arg(long, value_name = "N")]
    metadata_version: Option<u64>,
}

/// Builds, collects, signs; prints where the bundle and its root are.
pub fn run(options: &Options) -> Result<()> {
    let product = product::obtain(&options.product)?;
    let collected = tempfile::tempdir()?;
    product.executable(&collected.path().join("concord"))?;
    product.share(collected.path())?;
    product.licences(collected.path())?;

    let now = SystemClock.now();
    let keys = options.keys.clone().unwrap_or_else(|| target().join("bundle-keys"));
    if !keys.join("root.json").exists() {
        println!("new keys, for tests only unless you keep them safe: {}", keys.display());
        concord_bundle::make_keys(&keys, now).map_err(told)?;
    }
    let bundle = concord_bundle::make(&MakeOptions {
        files: collected.path().to_owned(),
        facts: product.facts,
        built: now,
        keys: keys.clone(),
        expires_days: options.expires_days,
        metadata_version: options.metadata_version,
        out: options.out.clone().unwrap_or_else(|| target().join("bundles")),
    });
    let bundle = bundle.map_err(told)?;
    println!("bundle: {}", bundle.display());
    println!("size: {}", bundle.metadata()?.len());
    println!("trust root: {}", keys.join("root.json").display());
    Ok(())
}

fn told(error: BundleError) -> Trouble {
    trouble(format!("{error} [{}]", error.code()))
}
