//! The commands, one file (or folder) each.
//!
//! A command is a module with a type `Args` that implements [`clap::Args`]
//! and [`Run`]; its doc comment is the command's help. A group of commands is
//! the same with an enum that implements [`clap::Subcommand`]. It is registered
//! by a line in the list below: module, then the name of its variant.

use crate::context::Context;
use crate::failure::Failure;

/// What every command can do.
pub trait Run {
    /// Does it and prints the result.
    fn run(self, context: &Context) -> Result<(), Failure>;
}

pub use setup::run as setup_run;

// What the commands over the admin API share.
mod admin;
mod object;
mod password;
mod progress;
mod recipient;
mod show;

macro_rules! commands {
    ($($(#[$attribute:meta])* $module:ident => $variant:ident,)*) => {
        $(mod $module;)*

        /// A command with its arguments.
        #[derive(Debug, clap::Subcommand)]
        pub enum Command {
            $(
                #[allow(missing_docs)] // the help text is the module's
                $(#[$attribute])*
                $variant($module::Args),
            )*
        }

        impl Run for Command {
            fn run(self, context: &Context) -> Result<(), Failure> {
                match self {
                    $(Self::$variant(args) => args.run(context),)*
                }
            }
        }
    };
}

commands! {
    #[command(subcommand)]
    setup => Setup,
    doctor => Doctor,
    #[command(subcommand)]
    update => Update,
    rollback => Rollback,
    #[command(subcommand)]
    backup => Backup,
    recover => Recover,
    up => Up,
    down => Down,
    #[command(subcommand)]
    service => Service,
    #[command(subcommand)]
    config => Config,
    #[command(subcommand)]
    certificate => Certificate,
    #[command(subcommand)]
    mailbox => Mailbox,
    #[command(subcommand)]
    rule => Rule,
    #[command(subcommand)]
    contact => Contact,
    #[command(subcommand)]
    list => List,
    #[command(subcommand)]
    public_folder => PublicFolder,
    #[command(subcommand)]
    resource => Resource,
    #[command(subcommand)]
    container => Container,
    #[command(subcommand)]
    role => Role,
    #[command(subcommand)]
    directory => Directory,
    #[command(subcommand)]
    domain => Domain,
    #[command(subcommand)]
    dns => Dns,
    #[command(subcommand)]
    dkim => Dkim,
    #[command(subcommand)]
    internet_mail => InternetMail,
    #[command(subcommand)]
    connector => Connector,
    #[command(subcommand)]
    ovvm => Ovvm,
    #[command(subcommand)]
    generator => Generator,
    #[command(subcommand)]
    queue => Queue,
    trace => Trace,
    route => Route,
    relay_check => RelayCheck,
    #[command(subcommand)]
    report => Report,
    #[command(subcommand)]
    store => Store,
    #[command(subcommand)]
    registry => Registry,
    completions => Completions,
    man => Man,
    #[command(hide = true)]
    serve => Serve,
    #[command(hide = true)]
    launch => Launch,
}
