//! What tests, storms and benchmarks share: the real `concord` executable on a
//! scratch root, ports nobody else uses, small SMTP and IMAP clients, an SMTP
//! sink, and Debian's Postfix, Exim, OpenSMTPD and Dovecot as peers.
//!
//! It mocks nothing and knows nothing of Concord's inside: it sees what an
//! administrator and a mail program see. The clients follow RFC 5321, RFC 3030
//! and RFC 3501 as far as tests need, and are std only, so that a defect in a
//! protocol crate cannot hide itself.
//!
//! Invariants: loopback only; every wait has a limit; a dropped handle leaves
//! no process behind; what fails returns a [`Trouble`] that says what was
//! waited for.

mod administer;
mod bind;
mod clamav;
mod command;
mod concord;
mod config;
mod daemon;
mod dns;
mod dovecot;
mod groupwise;
mod haproxy;
mod imap;
mod log;
mod machine;
mod message;
mod ovvm;
mod pebble;
mod peers;
mod ports;
mod postfix;
mod process;
mod random;
mod rspamd;
mod sink;
mod site;
mod smtp;
mod source;
mod traces;
mod trouble;
mod wait;

pub use bind::Bind;
pub use clamav::{ClamAv, eicar};
pub use command::{Finished, run, run_with_input, tool};
pub use concord::{Concord, ConcordBuilder, executable};
pub use config::{Config, DOMAIN, PASSWORD};
pub use daemon::{Daemon, listens, write_below};
pub use dns::{DnsTrouble, NameServer, Zone};
pub use dovecot::Dovecot;
pub use groupwise::{
    AddressStyle, GatewayPage, GroupWise, GroupWiseSettings, GroupWiseStorm, GwFile, GwMail,
    GwName, GwObject, GwOutgoing, GwProblem, GwStatus, Knobs, NameClash, ShareNames, Slow,
    StormFigures,
};
pub use haproxy::{HaProxy, ProxyFront};
pub use imap::{Fetched, Imap, ImapLine};
pub use log::Log;
pub use machine::{Machine, debian_tree};
pub use message::{Sample, header_value};
pub use ovvm::{Breaker, OvvmFigures, OvvmStorm, VmNode, VmPair};
pub use pebble::{Pebble, PebbleSettings};
pub use peers::{
    Enclave, Loopback, Peer, PeerKind, PeerSettings, PolicyHost, SignedNames, peer_trees,
};
pub use ports::Ports;
pub use postfix::{Postfix, PostfixSettings};
pub use process::{ProcessUse, descendants, exists, kill, marked, parent, terminate, usage};
pub use random::Random;
pub use rspamd::{Rspamd, gtube};
pub use sink::{Answer, Received, Sink};
pub use site::Site;
pub use smtp::{Reply, Smtp, stuffed};
pub use source::connect_from;
pub use traces::Traces;
pub use trouble::{Result, Trouble, trouble};
pub use wait::{wait_for, wait_until};
