//! `concord relay-check`

use super::{Run, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::RelayView;

/// Tell what a client would hear who wants to send, and why
///
/// Asks the questions of a real SMTP session, in its order, of the policy and
/// the directory in force. Block lists, limits and content filters are asked
/// when a message comes and are not looked at here.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The client's IP address
    #[arg(long, value_name = "IP")]
    client: String,
    /// The user that the client has logged in as
    #[arg(long, value_name = "USER")]
    auth: Option<String>,
    /// The address of this server that the client connects to
    #[arg(long, value_name = "IP")]
    interface: Option<String>,
    /// The client speaks TLS
    #[arg(long)]
    tls: bool,
    /// The reverse-path; without it, or as '<>', the empty one
    #[arg(long, value_name = "ADDRESS", default_value = "<>")]
    from: String,
    /// The recipient
    #[arg(long, value_name = "ADDRESS")]
    to: String,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let tls = self.tls.to_string();
        let mut query = vec![
            ("client", self.client.as_str()),
            ("from", self.from.as_str()),
            ("to", self.to.as_str()),
            ("tls", tls.as_str()),
        ];
        query.extend(self.auth.as_deref().map(|user| ("user", user)));
        query.extend(self.interface.as_deref().map(|interface| ("interface", interface)));
        let view: RelayView = context.block_on(admin.get("/v1/relay-check", &query))?;
        if context.json {
            print::json(&view);
            return Ok(());
        }
        let row = |step: &concord_admin_api::wire::RelayStep| {
            let mark = if step.decides { "<- decides" } else { "" };
            vec![step.question.clone(), step.found.clone(), mark.to_owned()]
        };
        show::table(&["QUESTION", "ANSWER", ""], view.steps.iter().map(row).collect(), "");
        print::line(format!("{}: {}", view.verdict, view.reply));
        Ok(())
    }
}
