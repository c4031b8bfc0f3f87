//! `concord route`

use super::{Run, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::{CopyView, RouteView};

/// Tell what an address means, where mail for it goes, and why
///
/// Addresses are typed ('GWISE:DOMAIN.POSTOFFICE.USER') or Internet addresses.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The recipient's address
    address: String,
    /// The sender's address; address spaces and restrictions can depend on it
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let mut query = vec![("address", self.address.as_str())];
        query.extend(self.from.as_deref().map(|from| ("from", from)));
        let route: RouteView = context.block_on(admin.get("/v1/route", &query))?;
        if context.json {
            print::json(&route);
        } else {
            tell(&route);
        }
        Ok(())
    }
}

fn tell(route: &RouteView) {
    let meaning = match (route.meaning.as_str(), &route.recipient) {
        (_, Some(recipient)) => format!("it is {recipient}"),
        ("unknown", _) => "nobody here has it, and its domain is ours: refused".to_owned(),
        ("carried", _) => "it is of a system of ours behind a connector".to_owned(),
        _ => "it is of another system: only for those who may relay".to_owned(),
    };
    print::line(format!("{}: {meaning}", route.address));
    if let Some(refusal) = &route.refusal {
        print::line(format!("refused: {refusal}"));
    }
    for copy in &route.copies {
        tell_copy(copy);
    }
    if route.more > 0 {
        print::line(format!("and {} copies more", route.more));
    }
}

fn tell_copy(copy: &CopyView) {
    let waits = if copy.waits { ", which cannot be reached: it waits" } else { "" };
    print::line(match (&copy.mailbox, &copy.connector) {
        (Some(mailbox), _) => format!("-> {}: into {mailbox}", copy.address),
        (None, Some(connector)) => format!("-> {}: by connector {connector}{waits}", copy.address),
        (None, None) => format!("-> {}: no connector carries it", copy.address),
    });
    let rows: Vec<Vec<String>> = copy
        .candidates
        .iter()
        .map(|c| vec![c.connector.clone(), c.space.clone(), c.cost.to_string(), c.reason.clone()])
        .collect();
    if !rows.is_empty() {
        show::table(&["CONNECTOR", "ADDRESS SPACE", "COST", "BECAUSE"], rows, "");
    }
}
