//! Spool files to be sent: what the headers of NJE say of mail.
//!
//! All mail has a form that begins with `QU`: nodes tell the sender of any other
//! file that it arrived, by an interactive message that nobody waits for.

use crate::bsmtp::BatchError;
use crate::limits::CARD;
use crate::lines::printable;
use crate::netdata::{self, FileName, NetdataFile, Transmission, WriteNetdataError};
use crate::{Device, HostAddress, SpoolFile, TextRules, bare_message, bsmtp, write_lines};
use concord_base::{EnhancedStatus, Fault, Retry};
use concord_ebcdic::{EbcdicError, Unsaid};
use jiff::Timestamp;

/// The class of mail.
const MAIL_CLASS: char = 'M';
/// The class of other files.
const FILE_CLASS: char = 'A';
/// The form of mail between mailers.
const MAIL_FORM: &str = "QUMAIL";
/// The form of files for users.
const QUIET_FORM: &str = "QUIET";

/// What lines travel in. Nodes that take NETDATA are better sent it, for cards cut
/// lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// NETDATA (`ND`).
    Netdata,
    /// Plain cards (`PU`), the default of EARN's table of nodes.
    Cards,
}

/// Why a spool file cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// It cannot be written as NETDATA.
    #[error(transparent)]
    Netdata(#[from] WriteNetdataError),
    /// A line does not fit into a card.
    #[error(transparent)]
    Lines(#[from] BatchError),
    /// A character is not in the host's page, and none may be replaced.
    #[error(transparent)]
    Characters(#[from] EbcdicError),
}

impl OutgoingError {
    fn fault(&self) -> &dyn Fault {
        match self {
            Self::Netdata(error) => error,
            Self::Lines(error) => error,
            Self::Characters(error) => error,
        }
    }
}

impl Fault for OutgoingError {
    fn code(&self) -> &'static str {
        self.fault().code()
    }

    fn retry(&self) -> Retry {
        self.fault().retry()
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        self.fault().enhanced_status()
    }
}

/// A transmission as a spool file for one of its recipients. A note is called
/// after its sender, with type `NOTE`, as CMS does it; a file by its own name.
///
/// # Errors
/// As [`netdata::write`].
pub fn transmission(
    sent: &Transmission,
    recipient: &HostAddress,
    now: Timestamp,
) -> Result<SpoolFile, WriteNetdataError> {
    let records = netdata::write(sent)?;
    let sender = sent.origin.as_ref().map(HostAddress::user).unwrap_or_default();
    let (name, kind) = match sent.files.first().map(|file| &file.name) {
        Some(FileName::Cms(cms)) => (cms.name(), cms.kind()),
        Some(FileName::Note) => (sender, "NOTE"),
        _ => (sender, "FILE"),
    };
    Ok(SpoolFile {
        origin: sent.origin.clone(),
        destination: Some(recipient.clone()),
        entered: Some(now),
        class: FILE_CLASS,
        form: QUIET_FORM.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        records,
        ..SpoolFile::default()
    })
}

/// Lines for a mailer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailerLines<'a> {
    /// A batch.
    Batch(&'a bsmtp::Batch),
    /// A message without an envelope, in lines.
    Message(&'a [String]),
}

/// A batch or a message as a spool file for a mailer or a user, and what the
/// host's page could not say of it.
///
/// # Errors
/// [`OutgoingError`]; a line that is too long for cards is one, for receivers cut
/// it.
pub fn mail(
    lines: MailerLines<'_>,
    carrier: Carrier,
    [origin, recipient]: [&HostAddress; 2],
    text: &TextRules,
    now: Timestamp,
) -> Result<(SpoolFile, Unsaid), OutgoingError> {
    let columns = match carrier {
        Carrier::Cards => CARD,
        Carrier::Netdata => text.columns,
    };
    let (lines, name) = match lines {
        MailerLines::Batch(batch) => (batch.write(columns)?, "BSMTP"),
        MailerLines::Message(message) => (bare_message(message, columns)?, origin.user()),
    };
    let rules = TextRules { columns, ..*text };
    let written = write_lines(lines.iter().map(String::as_str), &rules)?;
    // Tabs, and characters that others stand for, may take more columns.
    if written.broken > 0 {
        too_long(&lines, &rules)?;
    }
    let records = match carrier {
        Carrier::Cards => written.records,
        Carrier::Netdata => netdata::write(&Transmission {
            origin: Some(origin.clone()),
            recipients: vec![recipient.clone()],
            sent: Some(now),
            acknowledge: None,
            reference: None,
            files: vec![NetdataFile::varying(
                FileName::DataSet(vec!["A".to_owned(), name.to_owned(), "MAIL".to_owned()]),
                written.records,
            )],
        })?,
    };
    let file = SpoolFile {
        origin: Some(origin.clone()),
        destination: Some(recipient.clone()),
        entered: Some(now),
        device: Device::Punch,
        class: MAIL_CLASS,
        form: MAIL_FORM.to_owned(),
        name: name.to_owned(),
        kind: "MAIL".to_owned(),
        records,
        ..SpoolFile::default()
    };
    Ok((file, written.unsaid))
}

/// The first line that has more columns than a record once it is written.
fn too_long(lines: &[String], rules: &TextRules) -> Result<(), OutgoingError> {
    let most = rules.columns;
    for (line, text) in lines.iter().enumerate() {
        let columns = rules.page.encode(&printable(text), rules.substitution)?.octets.len();
        if columns > most {
            return Err(BatchError::LineTooLong { line, columns, most }.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bsmtp::{Batch, BatchMessage};
    use crate::netdata::Netdata;
    use crate::note::NoteRules;
    use crate::{Arrived, read_lines};
    use concord_ebcdic::{CodePage, Substitution};

    fn host(text: &str) -> HostAddress {
        text.parse().unwrap()
    }

    fn batch(line: &str) -> Batch {
        Batch {
            hello: "mail.example.com".into(),
            messages: vec![BatchMessage {
                sender: "jane@example.com".into(),
                recipients: vec!["bob@nodeb.bitnet".into()],
                lines: vec!["Subject: x".into(), String::new(), line.into()],
            }],
            ..Batch::default()
        }
    }

    fn sent(batch: &Batch, carrier: Carrier) -> Result<SpoolFile, OutgoingError> {
        let rules = TextRules {
            page: CodePage::Cp1047,
            substitution: Substitution::Transliterate,
            columns: 998,
        };
        let (us, mailer) = (host("EXCH(MAILER)"), host("NODEB(MAILER)"));
        let lines = MailerLines::Batch(batch);
        mail(lines, carrier, [&us, &mailer], &rules, Timestamp::UNIX_EPOCH).map(|(file, _)| file)
    }

    #[test]
    fn a_batch_goes_in_cards_or_in_netdata_and_comes_out_alike() {
        let batch = batch(".dots [and] brackets");
        let in_cards = sent(&batch, Carrier::Cards).unwrap();
        assert!(in_cards.is_mail());
        assert!(in_cards.records.longest() <= CARD);
        let open = |file: &SpoolFile| file.open(CodePage::Cp1047, &NoteRules::default()).unwrap();
        assert_eq!(open(&in_cards), Arrived::Batch(batch.clone()));
        let in_netdata = sent(&batch, Carrier::Netdata).unwrap();
        let Arrived::Netdata(Netdata::Transmission(read)) = open(&in_netdata) else {
            panic!("no NETDATA")
        };
        let lines = read_lines(&read.files[0].records, CodePage::Cp1047);
        assert_eq!(bsmtp::read(&lines), Ok(batch));
    }

    #[test]
    fn a_line_that_cards_would_cut_goes_in_netdata_only() {
        let batch = batch(&"x".repeat(100));
        assert!(matches!(sent(&batch, Carrier::Cards), Err(OutgoingError::Lines(_))));
        assert!(sent(&batch, Carrier::Netdata).is_ok());
        // It fits, and its euros do not.
        let euros = self::batch(&format!("{}€€", "x".repeat(78)));
        let long = sent(&euros, Carrier::Cards);
        let columns_84 = |e: &OutgoingError| {
            matches!(e, OutgoingError::Lines(BatchError::LineTooLong { columns: 84, .. }))
        };
        assert!(long.as_ref().is_err_and(columns_84), "{long:?}");
    }

    #[test]
    fn notes_and_files_are_named_as_cms_names_them_and_quiet() {
        let name = crate::CmsName::new("DATA", "ZIP").unwrap();
        for (file, expected) in
            [(FileName::Note, ["JANE", "NOTE"]), (FileName::Cms(name), ["DATA", "ZIP"])]
        {
            let sent = Transmission {
                origin: Some(host("EXCH(JANE)")),
                recipients: vec![host("VM(BOB)")],
                files: vec![NetdataFile::varying(file, [b"x"].into_iter().collect())],
                ..Transmission::default()
            };
            let made = transmission(&sent, &host("VM(BOB)"), Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!([made.name.as_str(), made.kind.as_str()], expected);
            assert!(made.form.starts_with("QU"));
            assert_eq!(made.origin, sent.origin);
        }
    }
}
