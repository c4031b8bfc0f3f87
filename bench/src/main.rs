//! Measures Concord against Debian's Postfix and Dovecot (LMTP, Maildir), and
//! slapd.
//!
//! Method. Server and load generator share the machine, so a figure is "server
//! and client on these cores": compare only figures of one run. Closed loop: a
//! session sends the next message when it has the answer to the last one. Both
//! servers run at the same time, but are measured one after the other, cell by
//! cell, so that both see the same machine. "accepted" counts 250 answers;
//! "delivered" counts until the last message is in its mailbox. Both servers run
//! under the same layer that counts syncs and, if asked, slows them down.
//! Loopback only.
//!
//! `cargo xtask bench` builds everything for release and calls this.

mod figures;
mod imap;
mod latency;
mod ldap;
mod load;
mod mailboxes;
mod meter;
mod pair;
mod queue;
mod relay;
mod report;
mod smtp;
mod wire;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    about = "Measures Concord against Postfix, Dovecot and slapd",
    bin_name = "cargo xtask bench"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Mail in: accepted and delivered per second, latency, CPU, memory, syncs.
    Smtp(smtp::Options),
    /// A mailbox of 10,000 messages: append, fetch, search, store, copy.
    Imap(imap::Options),
    /// A directory of 100,000 people, against slapd: search, read, bind, add, modify.
    Ldap(ldap::Options),
    /// Mail for other systems, against Postfix: relayed per second, CPU, syncs.
    Relay(relay::Options),
    /// A large queue of which most destinations are not there.
    Queue(queue::Options),
    /// Only the load, against any server on this machine.
    Load(load::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Smtp(options) => smtp::run(&options),
        Command::Imap(options) => imap::run(&options),
        Command::Ldap(options) => ldap::run(&options),
        Command::Relay(options) => relay::run(&options),
        Command::Queue(options) => queue::run(&options),
        Command::Load(options) => load::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::FAILURE
        }
    }
}
