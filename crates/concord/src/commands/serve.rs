//! `concord serve`: what the controller starts.

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::serve;

/// Run one service with inherited sockets (used by the controller)
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[command(subcommand)]
    service: Service,
}

#[derive(Debug, clap::Subcommand)]
enum Service {
    /// Directory, store, queue, IMAP, POP3, LDAP and the admin API
    Core,
    /// Mail to and from the Internet
    InternetMail,
    /// Mail to and from GroupWise
    Groupwise,
    /// Mail to and from OfficeVision/VM and CMS
    Ovvm,
    /// Certificates, and documents for mail programs
    Web,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        match self.service {
            Service::Core => serve::core::main(root),
            Service::InternetMail => serve::internet_mail::main(root),
            Service::Groupwise => serve::groupwise::main(root),
            Service::Ovvm => serve::ovvm::main(root),
            Service::Web => serve::web::main(root),
        }
    }
}
