//! What Setup asks of programs, its own and those of other releases.

use super::Run;
use super::run::{Manner, host, told};
use crate::context::Context;
use crate::failure::Failure;
use crate::{print, release, serve};
use concord_engine::offline;
use concord_setup::Lock;
use concord_setup::manifest::{BUILT_IN, kinds};
use std::path::PathBuf;

/// Bring a run that was cut off to its end (every verb does it first)
#[derive(Debug, clap::Args)]
pub struct Settle {
    /// Take over the program, too, if somebody else keeps it and it is another one now
    #[arg(long)]
    adopt: bool,
}

impl Run for Settle {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let host = host(&context.root()?);
        // A unit that a living run starts must start: that run is not cut off, and
        // it waits for the unit.
        if let Some(holder) = Lock::holder(&host.layout.lock()) {
            if context.json {
                print::json(&serde_json::json!({ "recovered": null, "holder": holder }));
            } else {
                print::line(format_args!("{holder} is at work; no run was cut off"));
            }
            return Ok(());
        }
        let mut watch = told(context, Manner::default());
        let recovered = concord_setup::settle(&host, release::VERSION, &mut watch)?;
        if self.adopt {
            crate::setup::adopt_in_place(&host)?;
        }
        if context.json {
            let found = recovered.map(|r| {
                serde_json::json!({ "verb": r.verb, "finished": r.finished })
            });
            print::json(&serde_json::json!({ "recovered": found }));
        } else if recovered.is_none() {
            print::line("no run was cut off");
        }
        Ok(())
    }
}

/// Print what this program is, for building bundles
#[derive(Debug, clap::Args)]
pub struct Facts {}

impl Run for Facts {
    fn run(self, _context: &Context) -> Result<(), Failure> {
        let facts = release::facts();
        print::json(&serde_json::json!({
            "version": facts.version,
            "platform": facts.platform,
            "schemas": {
                "index": facts.schemas.index,
                "registry": facts.schemas.registry,
                "contract": facts.schemas.contract,
            },
            "components": BUILT_IN.into_iter().chain(kinds()).collect::<Vec<_>>(),
        }));
        Ok(())
    }
}

/// Bring the index to this program's schema; the core must not run
#[derive(Debug, clap::Args)]
pub struct Migrate {}

impl Run for Migrate {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        let settings = concord_settings::load(&root)?;
        let done = offline::migrate(&serve::core::engine_options(&root, &settings))?;
        print::json(&serde_json::json!({ "from": done.from, "to": done.to }));
        Ok(())
    }
}

/// Try this program on a copy of an index: settings, certificate, migration
#[derive(Debug, clap::Args)]
pub struct Rehearse {
    /// The copy; it is migrated
    index: PathBuf,
}

impl Run for Rehearse {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        let settings = concord_settings::load(&root)?;
        if let Some(files) = crate::setup::given_certificate(&settings) {
            concord_tls::server_config(files)?;
        }
        let directory = self.index.parent().map(std::path::Path::to_owned).unwrap_or_default();
        let options = concord_engine::EngineOptions {
            directory,
            ..serve::core::engine_options(&root, &settings)
        };
        let done = offline::migrate(&options)?;
        print::json(&serde_json::json!({ "from": done.from, "to": done.to }));
        Ok(())
    }
}
