//! What the administrator set.

mod links;
mod nodes;
mod reader;

pub use links::LinkSetting;
pub use nodes::{MailForm, NodeSetting, NodeSettings};

use concord_cms_mail::limits::{NOTE_LINE, RIGHT_MARGIN};
use concord_cms_mail::note::{
    AddressStyle, DateOrder, Layout, NoteForm, NoteRules, Release, Separator,
};
use concord_cms_mail::{FileTypes, HostAddress, MAX_NAME, TextRules};
use concord_connector::wire::OwnObject;
use concord_ebcdic::{CodePage, Substitution};
use concord_nje::Name;
use jiff::tz::TimeZone;
use reader::Reader;
use std::collections::BTreeSet;

/// Octets of a message, its files included, if the service is not told another
/// bound.
pub const DEFAULT_MESSAGE_SIZE: u64 = 50 << 20;

/// The own node where none is set; the generator of addresses begins with it.
const DEFAULT_NODE: &str = "CONCORD";

/// When a host that asks for an acknowledgement gets one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledge {
    /// When the message is in its recipient's mailbox.
    Delivered,
    /// When the core has it (`AlwaysReturnACK`, Q216474).
    AtOnce,
    /// Never.
    Never,
}

/// The settings of one connector, checked.
#[derive(Debug, Clone)]
pub struct OvvmSettings {
    /// The own node.
    pub node: Name,
    /// Links to partners.
    pub links: Vec<LinkSetting>,
    /// How mail is written for each node.
    pub nodes: NodeSettings,
    /// The hosts' code page.
    pub page: CodePage,
    /// The hosts' zone.
    pub zone: TimeZone,
    /// What files hold.
    pub types: FileTypes,
    /// How notes are read; the form is found out for each.
    pub notes: NoteRules,
    /// Columns of notes to PROFS.
    pub margin: usize,
    /// The own user that takes and sends batches.
    pub mailer: HostAddress,
    /// The own user that reports come from.
    pub postmaster: HostAddress,
    /// Own users whose notes have addresses in their text, in capitals
    /// (`ADHOCID`, Q166643).
    pub in_body_users: BTreeSet<String>,
    /// What stands before the addresses (`LASTMSGHEADER`).
    pub in_body_keyword: String,
    /// When hosts are acknowledged.
    pub acknowledge: Acknowledge,
    /// The own user that hosts send their directories to, and that ours is sent by.
    pub directory_user: HostAddress,
    /// Users of hosts who send their directories, and get ours.
    pub directory_hosts: Vec<HostAddress>,
}

impl OvvmSettings {
    /// Reads the settings of the connector's object.
    ///
    /// # Errors
    /// Every mistake, each with what to do.
    pub fn read(own: &OwnObject) -> Result<Self, Vec<String>> {
        let mut reader = Reader::new(own);
        let node = node(&mut reader);
        let mailer = own_user(&mut reader, node, "mailer-user", "MAILER");
        let postmaster = own_user(&mut reader, node, "postmaster-user", "POSTMAST");
        let directory_user = own_user(&mut reader, node, "directory-user", "DIRSYNC");
        let (Some(mailer), Some(postmaster), Some(directory_user)) =
            (mailer, postmaster, directory_user)
        else {
            return Err(reader.mistakes);
        };
        let settings = Self {
            node,
            links: links::read(&mut reader, node),
            nodes: nodes::read(&mut reader),
            page: page(&mut reader),
            zone: zone(&mut reader),
            types: types(&mut reader),
            notes: notes(&mut reader),
            margin: margin(&mut reader),
            mailer,
            postmaster,
            in_body_users: users(&mut reader, "in-body-users"),
            in_body_keyword: reader
                .text("in-body-keyword", concord_cms_mail::in_body::DEFAULT_KEYWORD),
            acknowledge: acknowledge(&mut reader),
            directory_user,
            directory_hosts: directory_hosts(&mut reader),
        };
        if reader.mistakes.is_empty() { Ok(settings) } else { Err(reader.mistakes) }
    }

    /// The link by which a node is reached: its own, one that is named for it, or
    /// the one for all others.
    pub fn route(&self, node: &str) -> Option<&LinkSetting> {
        let own = |link: &&LinkSetting| link.partner.to_string().eq_ignore_ascii_case(node);
        let named =
            |link: &&LinkSetting| link.nodes.iter().any(|known| known.eq_ignore_ascii_case(node));
        let all = |link: &&LinkSetting| link.nodes.iter().any(|known| known == "*");
        let links = || self.links.iter();
        links().find(own).or_else(|| links().find(named)).or_else(|| links().find(all))
    }

    /// Whether a node is the own one.
    pub fn is_own(&self, node: &str) -> bool {
        self.node.to_string().eq_ignore_ascii_case(node)
    }

    /// How text is written.
    pub const fn text(&self) -> TextRules {
        TextRules { page: self.page, substitution: Substitution::Transliterate, columns: NOTE_LINE }
    }

    /// How notes for people of a node look.
    pub fn layout(&self, form: MailForm) -> Layout {
        match form {
            MailForm::Cms | MailForm::Mailer => Layout::cms(),
            MailForm::Profs => Layout {
                addresses: AddressStyle::Dashes,
                separator: match &self.notes.last_line {
                    Some(line) => Separator::Line(line.clone()),
                    None => Separator::Dashes,
                },
                margin: self.margin,
            },
        }
    }
}

fn node(reader: &mut Reader<'_>) -> Name {
    let text = reader.text("node", DEFAULT_NODE);
    // What addresses of the own node are made of.
    let fits = HostAddress::new(&text, "X").is_ok();
    match Name::new(&text) {
        Ok(name) if fits => name,
        _ => {
            reader.mistake(format!(
                "node is '{text}': write the name of 1 to {MAX_NAME} characters by which partners \
                 know this node"
            ));
            Name::BLANK
        }
    }
}

fn own_user(reader: &mut Reader<'_>, node: Name, name: &str, default: &str) -> Option<HostAddress> {
    let text = reader.text(name, default);
    match HostAddress::new(&node.to_string(), &text) {
        Ok(user) => Some(user),
        // A node that is missing is told of already.
        Err(_) if node.is_empty() => None,
        Err(error) => {
            reader.mistake(format!("{name} is '{text}': {error}"));
            None
        }
    }
}

fn users(reader: &mut Reader<'_>, name: &str) -> BTreeSet<String> {
    let text = reader.text(name, "");
    let words = text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
    let mut users = BTreeSet::new();
    for word in words {
        match HostAddress::new("NODE", word) {
            Ok(user) => {
                users.insert(user.user().to_owned());
            }
            Err(error) => reader.mistake(format!("{name} has '{word}': {error}")),
        }
    }
    users
}

fn directory_hosts(reader: &mut Reader<'_>) -> Vec<HostAddress> {
    let text = reader.text("directory-hosts", "");
    let words = text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
    let mut hosts = Vec::new();
    for word in words {
        let parts = word.split_once('.');
        match parts.and_then(|(node, user)| HostAddress::new(node, user).ok()) {
            Some(host) if !hosts.contains(&host) => hosts.push(host),
            Some(_) => {}
            None => reader.mistake(format!(
                "directory-hosts has '{word}': write the node and the user who sends its \
                 directory, as VM1.MAINT"
            )),
        }
    }
    hosts
}

fn page(reader: &mut Reader<'_>) -> CodePage {
    let text = reader.text("code-page", "37");
    text.parse().unwrap_or_else(|error| {
        reader.mistake(format!("code-page is '{text}': {error}"));
        CodePage::Cp037
    })
}

fn zone(reader: &mut Reader<'_>) -> TimeZone {
    let text = reader.text("time-zone", "UTC");
    TimeZone::get(&text).unwrap_or_else(|_| {
        let known = "write an IANA name, such as America/New_York";
        reader.mistake(format!("time-zone is '{text}': {known}"));
        TimeZone::UTC
    })
}

fn types(reader: &mut Reader<'_>) -> FileTypes {
    let text = reader.text("file-types", "").replace(';', "\n");
    FileTypes::default().with(&text).unwrap_or_else(|error| {
        reader.mistake(format!("file-types: {error}"));
        FileTypes::default()
    })
}

fn notes(reader: &mut Reader<'_>) -> NoteRules {
    let orders = [
        ("us", DateOrder::MonthFirst),
        ("european", DateOrder::DayFirst),
        ("iso", DateOrder::YearFirst),
    ];
    let releases = [("1", Release::One), ("2", Release::Two)];
    let last_line = reader.text("last-line", "");
    NoteRules {
        form: NoteForm::Profs,
        release: reader.choice("release", "2", &releases).unwrap_or_default(),
        order: reader.choice("dates", "us", &orders).unwrap_or_default(),
        last_line: Some(last_line).filter(|line| !line.is_empty()),
    }
}

fn margin(reader: &mut Reader<'_>) -> usize {
    /// Narrower notes have no room for an address.
    const LEAST: u64 = 40;
    let most = u64::try_from(NOTE_LINE).unwrap_or(u64::MAX);
    let usual = u64::try_from(RIGHT_MARGIN).unwrap_or(most);
    usize::try_from(reader.number("margin", usual, LEAST..=most)).unwrap_or(RIGHT_MARGIN)
}

fn acknowledge(reader: &mut Reader<'_>) -> Acknowledge {
    let words = [
        ("delivered", Acknowledge::Delivered),
        ("at-once", Acknowledge::AtOnce),
        ("never", Acknowledge::Never),
    ];
    reader.choice("acknowledge", "delivered", &words).unwrap_or(Acknowledge::Delivered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_cms_mail::convert::FileManner;
    use concord_nje::{Concurrence, FirstBlock};
    use serde_json::{Value, json};

    fn own(settings: Value) -> OwnObject {
        let settings = settings.as_object().cloned().unwrap_or_default();
        OwnObject { settings, ..OwnObject::default() }
    }

    #[test]
    fn links_passwords_and_nodes_are_read_from_their_lines() {
        let settings = OvvmSettings::read(&own(json!({
            "node": "concorda",
            "links": "VMSP6 dial=vm.example:175 partner=rscs streams=3 buffer=1024\n\
                      HUB nodes=FAR1,far2,* concurrence=never partner=njelib first-block=reset; # note",
            "passwords": "VMSP6 line=SECRET expect-node=OTHER",
            "nodes": "* form=cms; VMSP6 form=profs files=together; MAILHUB form=mailer carrier=cards mailer=xmailer",
        })))
        .unwrap();
        assert_eq!(settings.node.to_string(), "CONCORDA");
        let vm = settings.route("vmsp6").unwrap();
        assert_eq!(vm.dial.as_deref(), Some("vm.example:175"));
        assert_eq!((vm.settings.streams, vm.settings.buffer_size), (3, 1024));
        assert!(vm.settings.partner.spanned_records, "as RSCS");
        assert_eq!(vm.settings.line_password.to_string(), "SECRET");
        assert_eq!(vm.settings.expected_node_password, Name::new("OTHER").ok());
        let hub = settings.route("FAR2").unwrap();
        assert_eq!(hub.settings.partner.concurrence, Concurrence::Never);
        assert_eq!(hub.settings.partner.first_block, FirstBlock::Reset, "a word beats its kind");
        assert_eq!(settings.route("ANYWHERE").unwrap().partner, hub.partner);
        assert_eq!(settings.nodes.of("elsewhere").form, MailForm::Cms);
        assert_eq!(settings.nodes.of("vmsp6").files, FileManner::Together);
        let mailer = settings.nodes.of("MAILHUB");
        assert_eq!((mailer.form, mailer.mailer.as_str()), (MailForm::Mailer, "XMAILER"));
    }

    #[test]
    fn without_a_link_for_all_others_a_node_cannot_be_reached() {
        let settings = OvvmSettings::read(&own(json!({ "links": "VMSP6 nodes=NEAR" }))).unwrap();
        assert!(settings.route("NEAR").is_some() && settings.route("FAR").is_none());
        assert!(settings.is_own("concord"));
    }

    #[test]
    fn every_mistake_is_told_at_once_and_no_password_is_shown() {
        let mistakes = OvvmSettings::read(&own(json!({
            "links": "VMSP6 dial=nowhere streams=9 colour=red; TOOLONGNODE; CONCORD; VMSP6",
            "passwords": "VMSP6 SECRET; OTHER line=SECRET; VMSP6 line=MUCHTOOLONGSECRET",
            "nodes": "X form=memo", "code-page": "utf-8", "time-zone": "Mars/North",
            "margin": 7, "acknowledge": "perhaps", "release": 3, "dates": "maya",
            "in-body-users": "WAYTOOLONGNAME", "file-types": "ZIP WHAT",
        })))
        .unwrap_err();
        assert_eq!(mistakes.len(), 18, "{mistakes:#?}");
        assert!(mistakes.iter().all(|mistake| !mistake.contains("SECRET")), "{mistakes:#?}");
        let nameless = OvvmSettings::read(&own(json!({ "node": "A B" }))).unwrap_err();
        assert!(nameless[0].starts_with("node is"), "{nameless:?}");
    }
}
