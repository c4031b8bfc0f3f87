//! `concord connector keygen`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use std::path::PathBuf;

/// Make a key pair for signing packages, as minisign does
///
/// The secret key is not encrypted, so that packing can be automated: keep it where only you
/// can read it. Keys made by 'minisign -G' serve too.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The secret key's file; the public one gets '.pub' instead of its ending
    secret: PathBuf,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let public = self.secret.with_extension("pub");
        let key = concord_bundle::keygen(&self.secret, &public, None)?;
        if context.json {
            print::json(&serde_json::json!({
                "secret": self.secret, "public": public, "key_id": key.key_id(),
            }));
        } else {
            print::line(format_args!("secret key {}", self.secret.display()));
            print::line(format_args!("public key {} (id {})", public.display(), key.key_id()));
        }
        Ok(())
    }
}
