//! Messages for mailers, in batches (BSMTP).

use super::files::{Recipient, Source, unwritable};
use super::seven_bit::seven_bit;
use crate::settings::{NodeSetting, OvvmSettings};
use concord_cms_mail::bsmtp::{Batch, BatchMessage};
use concord_cms_mail::outgoing::{Carrier, MailerLines, mail};
use concord_cms_mail::{HostAddress, SpoolFile, TextRules, lines};
use concord_connector::Outcome;

/// Columns that lines of a message in NETDATA may have (RFC 5322 section 2.1.1).
const NETDATA_COLUMNS: usize = 998;
/// Columns of a message's lines in cards, less one for a doubled dot.
const CARD_COLUMNS: usize = concord_cms_mail::limits::CARD - 1;

/// The batch for a recipient's mailer.
pub(super) fn files(
    source: &Source,
    recipient: &Recipient,
    node: &NodeSetting,
    settings: &OvvmSettings,
) -> Result<Vec<SpoolFile>, Outcome> {
    let mailer = HostAddress::new(recipient.host.node(), &node.mailer).map_err(|error| {
        Outcome::own(554, (5, 3, 5), format!("the mailer's name is wrong: {error}"))
    })?;
    let columns = match node.carrier {
        Carrier::Cards => CARD_COLUMNS,
        Carrier::Netdata => NETDATA_COLUMNS,
    };
    let octets = seven_bit(&source.octets, columns).ok_or_else(|| {
        Outcome::own(554, (5, 6, 1), "the message cannot be written in seven bits")
    })?;
    let text = String::from_utf8_lossy(&octets);
    let batch = Batch {
        hello: source.domain.clone(),
        tick: None,
        messages: vec![BatchMessage {
            sender: source.reverse_path.as_ref().map(ToString::to_string).unwrap_or_default(),
            recipients: vec![format!("{}@{}", recipient.host.user(), recipient.host.node())],
            lines: lines(&text).map(str::to_owned).collect(),
        }],
        odd: Vec::new(),
    };
    let rules = TextRules { columns: NETDATA_COLUMNS, ..settings.text() };
    let ends = [&settings.mailer, &mailer];
    let (file, unsaid) = mail(MailerLines::Batch(&batch), node.carrier, ends, &rules, source.at)
        .map_err(|error| unwritable(&error))?;
    if unsaid.count > 0 {
        tracing::info!(
            queue_id = source.queue_id,
            count = unsaid.count,
            "characters of a batch are not in the host's code page, and were replaced"
        );
    }
    Ok(vec![file])
}
