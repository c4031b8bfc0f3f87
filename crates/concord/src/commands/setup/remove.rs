//! `concord setup remove`

use super::Run;
use super::run::{Manner, Question, confirm, verb};
use crate::context::Context;
use crate::failure::Failure;
use concord_registry::Class;
use concord_setup::host::UnitVerb;
use concord_setup::verb::{component, connector, remove_all};
use std::collections::BTreeSet;

/// Remove a component, or everything
///
/// Without --keep, removing everything moves data, keys, configuration and logs into a
/// directory beside the root and says so; nothing is deleted.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["component", "all"])))]
pub struct Args {
    /// The component
    component: Option<String>,
    /// Remove everything of this root
    #[arg(long)]
    all: bool,
    /// Keep these in their place and delete the rest: data, keys, config, log; or 'nothing'
    #[arg(long, value_name = "CLASSES", value_delimiter = ',', requires = "all")]
    keep: Vec<String>,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        if let Some(name) = &self.component {
            return verb(
                context,
                self.manner,
                Question::BeforeRemoving,
                "setup remove",
                |host, survey| {
                    let external = survey.known().and_then(|r| r.components.get(name)).is_some_and(
                        |c| matches!(c.origin, concord_registry::Origin::Package { .. }),
                    );
                    Ok(if external {
                        connector::plan_remove(host, survey, name)?
                    } else {
                        component::plan_remove(host, survey, name)?
                    })
                },
            );
        }
        let keep = keep(&self.keep)?;
        if keep == remove_all::Keep::Nothing && !self.manner.dry_run {
            eprintln!("Mail, directory, keys and settings of this root will be DELETED.");
            confirm(self.manner)?;
        }
        verb(context, self.manner, Question::BeforeRemoving, "setup remove --all", |host, survey| {
            let plan = remove_all::plan(host, survey, &keep)?;
            Ok(plan)
        })?;
        let host = super::run::host(&context.root()?);
        if host.system.has_systemd() && !self.manner.dry_run {
            // The unit's file is gone; systemd still has it in its memory.
            let _ = host.system.act_on_unit(UnitVerb::Reload, "concord.service");
        }
        Ok(())
    }
}

fn keep(words: &[String]) -> Result<remove_all::Keep, Failure> {
    if words.is_empty() {
        return Ok(remove_all::Keep::Quarantine);
    }
    if let [word] = words
        && word == "nothing"
    {
        return Ok(remove_all::Keep::Nothing);
    }
    let mut classes = BTreeSet::new();
    for word in words {
        classes.insert(match word.as_str() {
            "data" => Class::Data,
            "keys" => Class::Keys,
            "config" => Class::Config,
            "log" => Class::Log,
            other => {
                return Err(Failure::usage(
                    "cli.keep",
                    format!(
                        "cannot keep '{other}'; give data, keys, config and log, or 'nothing' \
                         alone"
                    ),
                ));
            }
        });
    }
    Ok(remove_all::Keep::InPlace(classes))
}
