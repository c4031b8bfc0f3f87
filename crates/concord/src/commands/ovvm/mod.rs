//! `concord ovvm`: operators' orders to the connector to OfficeVision/VM.

mod capture;
mod link;
mod live;
mod query;
mod replay;
mod tell;
mod trace;

use super::object::CONNECTOR;
use super::{Run, admin, show};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::{ObjectView, OrderAnswer};
use concord_controller::{JsonClient, Method, path_of};
use concord_ovvm::operator::HeardView;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The package of the connector.
const COMPONENT: &str = "ovvm";

/// Operate the links to OfficeVision/VM, CMS and other NJE nodes
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    #[command(subcommand)]
    Link(link::Args),
    Tell(tell::Args),
    Query(query::Args),
    Trace(trace::Args),
    Capture(capture::Args),
    Replay(replay::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Link(args) => args.run(context),
            Self::Tell(args) => args.run(context),
            Self::Query(args) => args.run(context),
            Self::Trace(args) => args.run(context),
            Self::Capture(args) => args.run(context),
            Self::Replay(args) => args.run(context),
        }
    }
}

/// Which connector.
#[derive(Debug, clap::Args)]
struct Which {
    /// The connector [default: the only one to OfficeVision/VM]
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
}

/// The way to a connector.
struct Orders {
    admin: JsonClient,
    /// `/v1/connectors/NAME/orders`
    path: String,
}

impl Which {
    async fn find(&self, context: &Context) -> Result<Orders, Failure> {
        let admin = context.admin()?;
        let name = match &self.connector {
            Some(name) => name.clone(),
            None => only(&admin).await?,
        };
        Ok(Orders { admin, path: format!("{}/orders", path_of(CONNECTOR.path, &name)) })
    }
}

/// The name of the only connector of this kind.
async fn only(admin: &JsonClient) -> Result<String, Failure> {
    let all: Vec<ObjectView> = admin::all(admin, CONNECTOR.path, &[]).await?;
    let of_kind = all.into_iter().filter(|one| one.component.as_deref() == Some(COMPONENT));
    let mut names: Vec<String> = of_kind.map(|one| one.name).collect();
    match names.len() {
        0 => Err(Failure::new(
            "ovvm.no-connector",
            "cannot find a connector to OfficeVision/VM: there is none; add one by 'concord \
             connector add ovvm'",
        )),
        1 => Ok(names.remove(0)),
        _ => Err(Failure::usage(
            "ovvm.which-connector",
            format!(
                "cannot tell which connector is meant: there are {}; name one by --connector",
                names.join(", ")
            ),
        )),
    }
}

impl Orders {
    /// Asks what changes nothing.
    async fn ask<T: DeserializeOwned>(
        &self,
        order: &str,
        arguments: &impl Serialize,
    ) -> Result<T, Failure> {
        let path = format!("{}/{order}", self.path);
        let arguments = serde_json::to_string(arguments).map_err(unreadable)?;
        answer(self.admin.get(&path, &[("arguments", &arguments)]).await?)
    }

    /// Gives an order.
    async fn give<T: DeserializeOwned>(
        &self,
        order: &str,
        arguments: &impl Serialize,
    ) -> Result<T, Failure> {
        let path = format!("{}/{order}", self.path);
        answer(self.admin.send(Method::POST, &path, arguments).await?)
    }
}

fn answer<T: DeserializeOwned>(answer: OrderAnswer) -> Result<T, Failure> {
    match answer.error {
        Some(error) => Err(Failure::told(error.code, error.message)),
        None => serde_json::from_value(answer.answer.unwrap_or_default()).map_err(unreadable),
    }
}

fn unreadable(error: serde_json::Error) -> Failure {
    Failure::new(
        "ovvm.unreadable-answer",
        format!(
            "cannot read the connector's answer: {error}; see that the connector and this command \
             are of one release"
        ),
    )
}

/// `2026-11-21 09:30:12 VM1.BOB: text`
fn heard(message: &HeardView) -> String {
    format!("{} {}: {}", show::time(&message.at), message.from, show::said(&message.text))
}
