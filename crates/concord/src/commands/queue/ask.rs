//! `concord queue ask`

use crate::commands::Run;
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::print;
use concord_address::Domain;
use concord_smtp::EtrnCommand;
use concord_smtp_tokio::{ClientError, ClientTimeouts, HelloVerb, Phase, SmtpClient};
use std::time::Duration;
use tokio::net::TcpStream;

/// For each answer of the host: somebody waits at the keyboard.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ask another host by ETRN for the mail that waits there for our domains
///
/// Exactly one ETRN goes out for each domain that is named (Q269771). The mail
/// then comes over connections of the other host's.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The host, with ':PORT' if it is not 25
    host: String,
    /// Our domains, with '@' in front for those below it too
    #[arg(required = true, value_name = "DOMAIN")]
    domains: Vec<String>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let commands: Result<Vec<EtrnCommand>, Failure> =
            self.domains.iter().map(|domain| etrn(domain)).collect();
        let commands = commands?;
        let name = concord_settings::load(&context.root()?)?.server.hostname;
        let answers = runtime()?.block_on(ask(&self.host, &name, &commands))?;
        let mut refused = 0;
        for (command, reply) in commands.iter().zip(&answers) {
            refused += usize::from(!reply.is_ok());
            print::line(format!("{}: {reply}", command.domain));
        }
        match refused {
            0 => Ok(()),
            n => Err(Failure::new("queue.not-all-done", format!("{n} domains were refused"))),
        }
    }
}

fn etrn(text: &str) -> Result<EtrnCommand, Failure> {
    let below = text.starts_with('@');
    match text.trim_start_matches('@').parse::<Domain>() {
        Ok(domain @ Domain::Name(_)) => Ok(EtrnCommand { domain: domain.to_string(), below }),
        _ => Err(Failure::usage("cli.domain", format!("'{text}' is not a domain"))),
    }
}

async fn ask(
    host: &str,
    name: &str,
    commands: &[EtrnCommand],
) -> Result<Vec<concord_smtp::Reply>, Failure> {
    let to = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        host.to_owned()
    } else {
        format!("{host}:25")
    };
    let failed = |cause: String| Failure::new("queue.ask", format!("cannot ask {to}: {cause}"));
    let of_client = |error: ClientError| failed(error.to_string());
    let connecting = tokio::time::timeout(PATIENCE, TcpStream::connect(&to));
    let stream = match connecting.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Err(_) => return Err(failed("no answer".to_owned())),
    };
    let timeouts = ClientTimeouts::all(PATIENCE);
    let (mut client, _) = SmtpClient::connect(stream, timeouts).await.map_err(of_client)?;
    client.hello(HelloVerb::Ehlo, name).await.map_err(of_client)?;
    if !client.capabilities().extensions.etrn {
        return Err(failed("it does not offer ETRN".to_owned()));
    }
    let mut answers = Vec::with_capacity(commands.len());
    for command in commands {
        let answer = client.command(&command.to_string(), Phase::Envelope).await;
        answers.push(answer.map_err(of_client)?);
    }
    client.quit(PATIENCE).await;
    Ok(answers)
}
