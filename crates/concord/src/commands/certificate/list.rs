//! `concord certificate list`

use super::Run;
use super::known::{in_use, known, moment};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;

/// List the certificates that this server has, and which one is in use
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        let settings = concord_settings::load(&root)?;
        let all = known(&root, &settings);
        let used = in_use(&all).map(|known| known.from);
        if context.json {
            let views: Vec<_> = all.iter().map(|k| k.view(used == Some(k.from))).collect();
            print::json(&serde_json::json!({ "items": views }));
            return Ok(());
        }
        let heading = ["FROM", "IN USE", "UNTIL", "NAMES", "FILE"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        for known in &all {
            let (until, names) = match &known.facts {
                Ok(facts) => (moment(facts.not_after), facts.names.join(", ")),
                Err(error) => ("-".to_owned(), error.to_string()),
            };
            let word = if used == Some(known.from) { "yes" } else { "no" };
            let file = known.files.certificate.display().to_string();
            rows.push(vec![known.from.to_owned(), word.to_owned(), until, names, file]);
        }
        print::table(&rows);
        Ok(())
    }
}
