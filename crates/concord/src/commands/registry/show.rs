//! `concord registry show`

use super::{Run, database, load};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_registry::Origin;

/// Show components, releases and identity; with --all every resource and its owners
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Every resource with its owners
    #[arg(long)]
    all: bool,
    /// The states that are kept
    #[arg(long)]
    history: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        if self.history {
            return history(context);
        }
        let registry = load(context)?;
        if context.json {
            print::json(&registry);
            return Ok(());
        }
        let identity = &registry.identity;
        let none = || "(none)".to_owned();
        print::line(format_args!("server        {}", identity.server));
        print::line(format_args!("host name     {}", identity.hostname));
        print::line(format_args!(
            "organisation  {}",
            identity.organisation.clone().unwrap_or_else(none)
        ));
        print::line(format_args!(
            "store         {}",
            identity.lineage.map_or_else(none, |id| id.to_string())
        ));
        print::line(format_args!("release       {}", registry.current));
        if let Some(previous) = &registry.previous {
            print::line(format_args!("previous      {previous}"));
        }
        let mut rows = vec![["COMPONENT", "VERSION", "RUNS", "FROM"].map(str::to_owned).to_vec()];
        for (name, component) in &registry.components {
            let from = match &component.origin {
                Origin::Release => "the release".to_owned(),
                Origin::BuiltIn { connector } => format!("the release, as {connector}"),
                Origin::Package { contract, .. } => format!("a package, contract {contract}"),
            };
            let runs = if component.enabled { "yes" } else { "no" };
            rows.push(vec![name.clone(), component.version.clone(), runs.to_owned(), from]);
        }
        print::line("");
        print::table(&rows);
        if self.all {
            let mut rows = vec![["RESOURCE", "OWNERS"].map(str::to_owned).to_vec()];
            rows.extend(registry.resources.iter().map(|owned| {
                let owners: Vec<&str> = owned.owners.iter().map(String::as_str).collect();
                vec![owned.resource.what(), owners.join(", ")]
            }));
            print::line("");
            print::table(&rows);
        }
        Ok(())
    }
}

fn history(context: &Context) -> Result<(), Failure> {
    let history = database(context)?.history()?;
    if context.json {
        let list: Vec<_> = history
            .iter()
            .map(|r| serde_json::json!({ "revision": r.number, "at": r.at, "verb": r.verb }))
            .collect();
        print::json(&list);
        return Ok(());
    }
    let mut rows = vec![["REVISION", "AT", "BY"].map(str::to_owned).to_vec()];
    rows.extend(history.iter().map(|r| {
        vec![r.number.to_string(), concord_setup::stamp(r.at), r.verb.clone()]
    }));
    print::table(&rows);
    Ok(())
}
