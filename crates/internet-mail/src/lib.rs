//! The Internet Mail Service: ESMTP in, MX and smart-host delivery out.
//!
//! In: [`run`] serves public SMTP and submission. It holds nothing: MAIL and
//! RCPT go to the core over its Unix socket, the message streams through with
//! a `Received` line in front, and the core's answer is the client's. AUTH is
//! relayed to the core too.
//!
//! Out: the core brings messages by LMTP; each is handed to the hosts of the
//! recipient's domain (MX, RFC 5321 section 5.1) or to a smart host, streaming,
//! and the remote host's answers go back per recipient
//! ([`concord_smtp::RemoteAnswer`]).
//!
//! Not here: mailboxes, the queue, who may relay (the core decides by what
//! XFORWARD says), users and passwords.
//!
//! Invariants: 250 to a client is the core's 250, 250 to the core is the remote
//! host's; no mail is kept on disk (what is kept are MTA-STS policies, counts of
//! TLS sessions, figures of reports and the greylist); one destination never waits
//! for another;
//! every list, line, wait and number of connections is bounded. Sources: RFC
//! 5321, 6409, 3207, 4954, 3461, 6531, 7505 (null MX), 7435, 7672 (DANE), 8461
//! (MTA-STS), 8460 (TLS reports), 8689 (REQUIRETLS).

mod config;
mod error;
mod front;
mod keep;
mod listen;
mod out;
mod pickup;
mod reports;
mod run;
mod telemetry;
mod watch;

pub use config::{Dnssec, InternetMailConfig, PeerTls, SmartHost, SmartHostLogin, Sockets};
pub use error::InternetMailError;
pub use reports::{ReportKind, ReportLine, ReportState, ReportsAnswer, ReportsRequest};
pub use run::run;
pub use watch::{Seen, Wanted};
