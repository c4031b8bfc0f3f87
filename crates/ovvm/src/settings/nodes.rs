//! How mail is written for each node.

use super::reader::Reader;
use concord_cms_mail::convert::FileManner;
use concord_cms_mail::outgoing::Carrier;
use std::collections::BTreeMap;

/// Nodes that can be set; EARN's table had some 3,000.
const MAX_NODES: usize = 100_000;

/// What the people of a node get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailForm {
    /// Notes as users of PROFS and OfficeVision know them.
    Profs,
    /// Notes as CMS writes them.
    Cms,
    /// Internet messages in a batch (BSMTP), to the node's mailer.
    Mailer,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSetting {
    /// What its people get.
    pub form: MailForm,
    /// The user id of its mailer.
    pub mailer: String,
    /// What batches travel in.
    pub carrier: Carrier,
    /// How files travel.
    pub files: FileManner,
}

/// Nodes and how mail is written for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    known: BTreeMap<String, NodeSetting>,
    otherwise: NodeSetting,
}

impl NodeSettings {
    /// How mail is written for a node.
    pub fn of(&self, node: &str) -> &NodeSetting {
        self.known.get(&node.to_ascii_uppercase()).unwrap_or(&self.otherwise)
    }

    /// The nodes that are set by themselves.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &NodeSetting)> {
        self.known.iter().map(|(name, node)| (name.as_str(), node))
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> NodeSettings {
    let mut otherwise = NodeSetting {
        form: MailForm::Profs,
        mailer: "MAILER".to_owned(),
        carrier: Carrier::Netdata,
        files: FileManner::Separate,
    };
    let mut known = BTreeMap::new();
    let lines = reader.table("nodes");
    // The line for all others first, wherever it stands.
    let (all, named): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.word == "*");
    for (key, value) in all.iter().flat_map(|line| &line.values) {
        set(reader, "*", &mut otherwise, key, value);
    }
    for line in named {
        let mut node = otherwise.clone();
        for (key, value) in &line.values {
            set(reader, &line.word, &mut node, key, value);
        }
        known.insert(line.word.to_ascii_uppercase(), node);
        if known.len() > MAX_NODES {
            reader.mistake(format!("nodes has more than {MAX_NODES} lines"));
            break;
        }
    }
    NodeSettings { known, otherwise }
}

fn set(reader: &mut Reader<'_>, name: &str, node: &mut NodeSetting, key: &str, value: &str) {
    let place = format!("{key}= of {name} in nodes");
    match key {
        "form" => {
            let words =
                [("profs", MailForm::Profs), ("cms", MailForm::Cms), ("mailer", MailForm::Mailer)];
            if let Some(form) = reader.chosen(&place, value, &words) {
                node.form = form;
            }
        }
        "carrier" => {
            let words = [("netdata", Carrier::Netdata), ("cards", Carrier::Cards)];
            if let Some(carrier) = reader.chosen(&place, value, &words) {
                node.carrier = carrier;
            }
        }
        "files" => {
            let words = [("separate", FileManner::Separate), ("together", FileManner::Together)];
            if let Some(files) = reader.chosen(&place, value, &words) {
                node.files = files;
            }
        }
        "mailer" => node.mailer = value.to_ascii_uppercase(),
        _ => reader.mistake(format!(
            "nodes knows no {key}= (for {name}): write form, mailer, carrier or files"
        )),
    }
}
