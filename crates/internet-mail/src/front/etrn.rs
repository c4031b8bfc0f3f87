//! ETRN (RFC 1985): the core knows what waits, and answers.

use super::Front;
use concord_connector::{CoreSession, SubmitError};
use concord_smtp::{EtrnCommand, Reply};
use concord_smtp_tokio::{ClientError, Phase};

impl Front {
    /// Any host may ask: what waits goes to the hosts of the domain, over
    /// connections of our own, whoever asked for it (RFC 1985 section 6).
    pub(super) async fn ask_for_mail(&mut self, etrn: &EtrnCommand) -> Reply {
        let asked = self.pass_on(etrn).await;
        tracing::info!(client = %self.client, domain = etrn.domain, ?asked, "ETRN");
        asked.unwrap_or_else(|error| error.reply())
    }

    async fn pass_on(&mut self, etrn: &EtrnCommand) -> Result<Reply, SubmitError> {
        let forward = self.forward().to_string();
        let line = etrn.to_string();
        let (mut core, idle) = self.service.core.get().await?;
        let reply = match ask(&mut core, &forward, &line).await {
            Ok(reply) if !(idle && reply.code == 421) => reply,
            Err(error) if !idle => return Err(error.into()),
            // It was closed by a core that was restarted.
            _ => {
                core = self.service.core.fresh().await?;
                ask(&mut core, &forward, &line).await?
            }
        };
        self.service.core.put(core);
        Ok(reply)
    }
}

async fn ask(core: &mut CoreSession, forward: &str, line: &str) -> Result<Reply, ClientError> {
    let told = core.command(forward, Phase::Envelope).await?;
    if !told.is_ok() {
        return Ok(told);
    }
    core.command(line, Phase::Envelope).await
}
