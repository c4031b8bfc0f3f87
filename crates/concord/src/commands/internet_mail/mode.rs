//! `concord internet-mail mode`

use super::{read, store};
use crate::commands::dns::check::name_server;
use crate::commands::dns::facts::{Asked, gather, policy};
use crate::commands::setup::run::Manner;
use crate::commands::{Run, admin, show};
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::QueuedView;
use concord_dns_check::{Facts, Purpose, Severity, World, check};
use concord_mail_policy::Mode;
use serde_json::json;
use std::net::SocketAddr;

/// Tell or set whether mail comes and goes
///
/// To retire a server: let MX name its successor; set 'drain', so that nothing more comes from
/// outside while what waits goes out; ask --status until nothing is left; then remove it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// normal: both; drain: nothing comes from outside, what waits goes out; read-only: neither.
    /// Without it the mode is told
    #[arg(value_enum)]
    mode: Option<Word>,
    /// Tell what is left before the server can go: what waits, and domains whose mail still comes
    /// here. Exit code 2: something is left
    #[arg(long, conflicts_with = "mode")]
    status: bool,
    /// With --status: ask this name server (may be given several times)
    #[arg(long, value_name = "ADDRESS", value_parser = name_server, requires = "status")]
    name_server: Vec<SocketAddr>,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Word {
    Normal,
    Drain,
    ReadOnly,
}

impl Word {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Drain => "drain",
            Self::ReadOnly => "read-only",
        }
    }
}

impl From<Mode> for Word {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Normal => Self::Normal,
            Mode::Drain => Self::Drain,
            Mode::ReadOnly => Self::ReadOnly,
        }
    }
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        if let Some(mode) = self.mode {
            let text = with_mode(&read(&root)?, mode)?;
            return store(context, self.manner, "internet-mail mode", &text);
        }
        let mode = Word::from(policy(&root)?.mode);
        if self.status {
            return self.status(mode, context);
        }
        if context.json {
            print::json(&json!({ "mode": mode.as_str() }));
        } else {
            print::line(mode.as_str());
        }
        Ok(())
    }
}

impl Args {
    fn status(&self, mode: Word, context: &Context) -> Result<(), Failure> {
        let client = context.admin()?;
        let queued: Vec<QueuedView> = context.block_on(admin::all(&client, "/v1/queue", &[]))?;
        let waiting: usize = queued.iter().map(|message| message.deliveries.len()).sum();
        let gathered = gather(context, &Asked::default())?;
        let servers = match self.name_server.is_empty() {
            true => &gathered.name_servers,
            false => &self.name_server,
        };
        // As if it were being retired: then what still comes here is a finding.
        let facts = Facts { inbound: false, ..gathered.facts };
        let findings = runtime()?.block_on(async {
            let world = World::asking(servers, &facts.host)?;
            Ok::<_, Failure>(check(&facts, &world).await)
        })?;
        let here: Vec<String> = findings
            .into_iter()
            .filter(|finding| finding.purpose == Purpose::Exchanger)
            .filter(|finding| finding.severity == Severity::Trouble)
            .filter_map(|finding| finding.domain)
            .collect();
        let can_go = mode != Word::Normal && waiting == 0 && here.is_empty();
        if context.json {
            print::json(&json!({
                "mode": mode.as_str(),
                "waiting": waiting,
                "mx_points_here": here,
                "can_go": can_go,
            }));
        } else {
            show::facts(&[
                ("mode", mode.as_str().to_owned()),
                ("deliveries that wait", waiting.to_string()),
                ("domains whose mail comes here", match here.is_empty() {
                    true => "none".to_owned(),
                    false => here.join(", "),
                }),
            ]);
            print::line(if can_go {
                "nothing is left; the server can be removed ('concord setup remove --all')"
            } else {
                "something is left; mail would be lost or returned"
            });
        }
        if can_go { Ok(()) } else { Err(Failure::pending()) }
    }
}

/// What the example shows of it, which is before every section.
const SAMPLE: &str = "\n# mode = \"normal\"";

/// The text with another mode; all else stays as it is written.
fn with_mode(text: &str, mode: Word) -> Result<String, Failure> {
    let mut document: toml_edit::DocumentMut = text.parse().map_err(|error| {
        Failure::configuration(format!(
            "cannot read the policy: {error}; 'concord internet-mail check' tells the mistakes"
        ))
    })?;
    if !document.contains_key("mode") && text.contains(SAMPLE) {
        return Ok(text.replacen(SAMPLE, &format!("\nmode = \"{}\"", mode.as_str()), 1));
    }
    if document.contains_key("mode") || !document.is_empty() || mode != Word::Normal {
        document.insert("mode", toml_edit::value(mode.as_str()));
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_mail_policy::{EXAMPLE, Policy};

    #[test]
    fn the_mode_changes_and_nothing_else() {
        let draining = with_mode(EXAMPLE, Word::Drain).unwrap();
        assert_eq!(Policy::parse(&draining).unwrap().mode, Mode::Drain);
        assert_eq!(draining.lines().count(), EXAMPLE.lines().count());
        let text = "# why\n[relay]\nallow = ['10.0.0.1'] # printer\n[[domain]]\nname = 'a.test'\n";
        let draining = with_mode(text, Word::ReadOnly).unwrap();
        let policy = Policy::parse(&draining).unwrap();
        assert_eq!((policy.mode, policy.domains.len()), (Mode::ReadOnly, 1));
        assert!(draining.contains("# printer") && draining.contains("# why"), "{draining}");
        let again = with_mode(&draining, Word::Normal).unwrap();
        assert_eq!(Policy::parse(&again).unwrap().mode, Mode::Normal);
    }
}
