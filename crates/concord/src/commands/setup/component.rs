//! `concord setup add`, `enable`, `disable`

use super::Run;
use super::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use concord_setup::verb::component;

/// Install a component of this release; one that is there is put right
#[derive(Debug, clap::Args)]
pub struct Add {
    /// Its name, for example internet-mail
    component: String,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Add {
    fn run(self, context: &Context) -> Result<(), Failure> {
        verb(context, self.manner, Question::None, "setup add", |host, survey| {
            Ok(component::plan_add(host, survey, &self.component)?)
        })
    }
}

/// Let a component's services run, now and after every start
#[derive(Debug, clap::Args)]
pub struct Enable {
    /// Its name
    component: String,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Enable {
    fn run(self, context: &Context) -> Result<(), Failure> {
        switch(context, self.manner, &self.component, true)
    }
}

/// Let a component's services rest; they stay so through updates and repairs
#[derive(Debug, clap::Args)]
pub struct Disable {
    /// Its name
    component: String,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Disable {
    fn run(self, context: &Context) -> Result<(), Failure> {
        switch(context, self.manner, &self.component, false)
    }
}

fn switch(context: &Context, manner: Manner, name: &str, enabled: bool) -> Result<(), Failure> {
    let word = if enabled { "setup enable" } else { "setup disable" };
    verb(context, manner, Question::None, word, |host, survey| {
        Ok(component::plan_enable(host, survey, name, enabled)?)
    })
}
