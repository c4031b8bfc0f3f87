//! `concord connector add`

use super::install::options;
use crate::commands::Run;
use crate::commands::setup::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use concord_setup::manifest;
use concord_setup::verb::connector;

/// Add a connector that comes with Concord, or change the settings of one
///
/// The same kind can be added several times under different names: two gateways are two
/// connectors. What was set before stays.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The kind: groupwise or ovvm
    kind: String,
    /// The connector's name [default: the kind]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A setting, KEY=VALUE; may be said more than once
    #[arg(long = "setting", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Where a listener of it listens, NAME=ADDRESS:PORT (NAME= for nowhere)
    #[arg(long = "listen", value_name = "NAME=ADDRESS")]
    listeners: Vec<String>,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        verb(context, self.manner, Question::None, "connector add", |host, survey| {
            let name = self.name.as_deref().unwrap_or(&self.kind);
            let options = match manifest::kind(&self.kind) {
                Some(kind) => options(&kind, &self.settings, &self.listeners)?,
                // Refused by the plan, which knows the kinds that there are.
                None => connector::ConnectorOptions::default(),
            };
            Ok(connector::plan_add(host, survey, (&self.kind, name), &options)?)
        })
    }
}
