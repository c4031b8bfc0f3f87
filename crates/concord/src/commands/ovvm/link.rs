//! `concord ovvm link`

use super::{Which, heard};
use crate::commands::{Run, show};
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::print;
use concord_ovvm::operator::{
    LINK_LIST, LINK_QUERY, LINK_START, LINK_STOP, LinkDetails, LinkView, Links, WhichLink,
};
use serde_json::json;

/// Look at links, stop and start them
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// List every link and how it is
    List(List),
    /// Let a link open: now, and whenever it breaks
    Start(One),
    /// Sign off and stay down until 'start', or until the service or its settings begin anew; files
    /// wait
    Stop(One),
    /// Show a link in full, and the last messages that came by it
    Query(One),
}

#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
pub struct One {
    /// The partner's node
    link: String,
    #[command(flatten)]
    which: Which,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let runtime = runtime()?;
        match self {
            Self::List(args) => runtime.block_on(args.run(context)),
            Self::Start(args) => runtime.block_on(args.act(LINK_START, context)),
            Self::Stop(args) => runtime.block_on(args.act(LINK_STOP, context)),
            Self::Query(args) => runtime.block_on(args.query(context)),
        }
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let orders = self.which.find(context).await?;
        let links: Links = orders.ask(LINK_LIST, &json!({})).await?;
        if context.json {
            print::json(&links);
            return Ok(());
        }
        let heading = ["LINK", "STATE", "SINCE", "WAITING", "SENT", "RECEIVED", "LAST TROUBLE"];
        show::table(&heading, links.links.iter().map(row).collect(), "there are no links");
        Ok(())
    }
}

impl One {
    async fn act(self, order: &str, context: &Context) -> Result<(), Failure> {
        let orders = self.which.find(context).await?;
        let link: LinkView = orders.give(order, &WhichLink { link: self.link }).await?;
        if context.json {
            print::json(&link);
        } else {
            print::line(format!("link {} is {}{}", link.partner, link.state, why(&link)));
        }
        Ok(())
    }

    async fn query(self, context: &Context) -> Result<(), Failure> {
        let orders = self.which.find(context).await?;
        let details: LinkDetails = orders.ask(LINK_QUERY, &WhichLink { link: self.link }).await?;
        if context.json {
            print::json(&details);
            return Ok(());
        }
        facts(&details.link);
        for message in &details.messages {
            print::line(heard(message));
        }
        Ok(())
    }
}

/// Why a link that is not active is not.
fn why(link: &LinkView) -> String {
    match &link.trouble {
        Some(trouble) if link.state != "active" && link.state != "stopped" => {
            format!(": {}", show::said(&trouble.text))
        }
        _ => String::new(),
    }
}

fn row(link: &LinkView) -> Vec<String> {
    let trouble = link.trouble.as_ref().map(|t| format!("{}: {}", show::time(&t.at), t.text));
    vec![
        link.partner.clone(),
        link.state.clone(),
        show::time(&link.since),
        link.files_waiting.to_string(),
        link.files_sent.to_string(),
        link.files_received.to_string(),
        show::said(&trouble.unwrap_or_else(|| "-".to_owned())),
    ]
}

fn facts(link: &LinkView) {
    let opened = match link.opened_by.as_deref() {
        Some("us") => "by this node".to_owned(),
        Some(_) => format!("by {}", link.partner),
        None => String::new(),
    };
    let trouble = link.trouble.as_ref().map(|trouble| {
        let code = trouble.code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
        format!("{}: {}{code}", show::time(&trouble.at), show::said(&trouble.text))
    });
    let buffer = link.buffer.map(|octets| format!("{octets} octets")).unwrap_or_default();
    let files = format!(
        "{} wait, {} are being sent, {} are being received",
        link.files_waiting, link.files_going, link.files_coming
    );
    let done = format!("{} sent, {} received", link.files_sent, link.files_received);
    let octets =
        format!("{} sent, {} received", show::size(link.octets_sent), show::size(link.octets_received));
    show::facts(&[
        ("link", link.partner.clone()),
        ("state", link.state.clone()),
        ("since", show::time(&link.since)),
        ("opened", opened),
        ("dialled at", link.dial.clone().unwrap_or_default()),
        ("nodes behind it", link.nodes.join(", ")),
        ("blocks up to", buffer),
        ("streams", link.streams.to_string()),
        ("held", if link.held { "the partner tells us to wait".to_owned() } else { String::new() }),
        ("files now", files),
        ("files done", done),
        ("octets", octets),
        ("messages", format!("{} received", link.messages_received)),
        ("last trouble", trouble.unwrap_or_default()),
    ]);
}
