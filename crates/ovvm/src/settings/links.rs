//! The links to partners, as the administrator wrote them.

use super::reader::{Line, Reader};
use concord_nje::limits::{MAX_BUFFER, MAX_STREAMS, MIN_BUFFER};
use concord_nje::{Compression, Concurrence, FirstBlock, LinkSettings, Name, Partner};
use concord_nje_tokio::BackOff;
use std::time::Duration;

/// Links of one connector; more than any node of BITNET had.
const MAX_LINKS: usize = 256;
/// The longest time that a link's setting can be, in seconds: a day.
const MAX_SECONDS: u64 = 86_400;

/// A link to a partner.
#[derive(Debug, Clone)]
pub struct LinkSetting {
    /// The partner's node.
    pub partner: Name,
    /// Host and port to dial; without it the partner opens the link.
    pub dial: Option<String>,
    /// Nodes behind the partner that are reached by this link, in capitals; `*`
    /// is every node that no other link is named for.
    pub nodes: Vec<String>,
    /// What the link is told.
    pub settings: LinkSettings,
    /// When it is opened again.
    pub back_off: BackOff,
}

/// Reads the links and their passwords.
pub(super) fn read(reader: &mut Reader<'_>, own: Name) -> Vec<LinkSetting> {
    let mut links: Vec<LinkSetting> = Vec::new();
    for line in reader.table("links") {
        let Some(link) = one(reader, own, &line) else { continue };
        if links.iter().any(|known| known.partner.same(&link.partner)) {
            reader.mistake(format!("links has two lines for {}: write one", line.word));
        } else if links.len() >= MAX_LINKS {
            reader.mistake(format!("links has more than {MAX_LINKS} lines"));
            break;
        } else {
            links.push(link);
        }
    }
    passwords(reader, &mut links);
    links
}

fn one(reader: &mut Reader<'_>, own: Name, line: &Line) -> Option<LinkSetting> {
    let Ok(partner) = Name::new(&line.word) else {
        reader.mistake(format!("links names '{}': a node has 1 to 8 characters", line.word));
        return None;
    };
    if partner.same(&own) {
        reader.mistake(format!("links has a link to {partner}, which is the own node"));
        return None;
    }
    let mut link = LinkSetting {
        partner,
        dial: None,
        nodes: Vec::new(),
        settings: LinkSettings::new(own, partner),
        back_off: BackOff::default(),
    };
    // What a kind of partner does comes first; single words change it.
    for (key, value) in &line.values {
        if key == "partner" {
            let kinds = [
                ("usual", Partner::usual()),
                ("funet", Partner::funet()),
                ("njelib", Partner::njelib()),
                ("rscs", Partner::rscs()),
                ("jes2", Partner::jes2()),
            ];
            if let Some(kind) = reader.chosen("partner= in links", value, &kinds) {
                link.settings.partner = kind;
            }
        }
    }
    for (key, value) in &line.values {
        set(reader, &mut link, key, value);
    }
    Some(link)
}

fn set(reader: &mut Reader<'_>, link: &mut LinkSetting, key: &str, value: &str) {
    let flag = [("yes", true), ("no", false)];
    let place = format!("{key}= of {} in links", link.partner);
    match key {
        "partner" => {}
        "dial" if value.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) => {
            link.dial = Some(value.to_owned());
        }
        "dial" => reader.mistake(format!("{place} is '{value}': write HOST:PORT")),
        "nodes" => {
            link.nodes = value.split(',').map(str::to_ascii_uppercase).collect();
        }
        "streams" => number(reader, &place, value, 1..=u64::from(MAX_STREAMS), |number| {
            link.settings.streams = u8::try_from(number).unwrap_or(1);
        }),
        "buffer" => {
            let range = u64::from(MIN_BUFFER)..=u64::from(MAX_BUFFER);
            number(reader, &place, value, range, |number| {
                link.settings.buffer_size = u16::try_from(number).unwrap_or(MAX_BUFFER);
            });
        }
        "keep-alive-seconds" => number(reader, &place, value, 1..=MAX_SECONDS, |number| {
            link.settings.timers.keep_alive = Duration::from_secs(number);
        }),
        "silence-seconds" => number(reader, &place, value, 1..=MAX_SECONDS, |number| {
            link.settings.timers.silence = Some(Duration::from_secs(number));
        }),
        "retry-seconds" => number(reader, &place, value, 1..=MAX_SECONDS, |number| {
            let least = Duration::from_secs(number);
            link.back_off = BackOff { least, most: least.max(link.back_off.most) };
        }),
        "longest-retry-seconds" => number(reader, &place, value, 1..=MAX_SECONDS, |number| {
            let most = Duration::from_secs(number);
            link.back_off = BackOff { least: link.back_off.least.min(most), most };
        }),
        _ => {
            let partner = &mut link.settings.partner;
            match key {
                "padding" => choose(reader, &place, value, &flag, &mut partner.padding),
                "spanned-records" => {
                    choose(reader, &place, value, &flag, &mut partner.spanned_records);
                }
                "survives-cancel" => {
                    choose(reader, &place, value, &flag, &mut partner.survives_cancel);
                }
                "first-block" => {
                    let words = [("reset", FirstBlock::Reset), ("normal", FirstBlock::Normal)];
                    choose(reader, &place, value, &words, &mut partner.first_block);
                }
                "concurrence" => {
                    let words = [
                        ("auto", Concurrence::Auto),
                        ("always", Concurrence::Always),
                        ("never", Concurrence::Never),
                    ];
                    choose(reader, &place, value, &words, &mut partner.concurrence);
                }
                "compression" => {
                    let words = [("runs", Compression::Runs), ("literals", Compression::Literals)];
                    choose(reader, &place, value, &words, &mut partner.style.compression);
                }
                _ => reader.mistake(format!("links knows no {key}= (for {})", link.partner)),
            }
        }
    }
}

fn choose<T: Copy>(
    reader: &mut Reader<'_>,
    place: &str,
    value: &str,
    words: &[(&str, T)],
    setting: &mut T,
) {
    if let Some(chosen) = reader.chosen(place, value, words) {
        *setting = chosen;
    }
}

fn number(
    reader: &mut Reader<'_>,
    place: &str,
    value: &str,
    range: std::ops::RangeInclusive<u64>,
    set: impl FnOnce(u64),
) {
    match value.parse() {
        Ok(number) if range.contains(&number) => set(number),
        _ => {
            let (from, to) = (range.start(), range.end());
            reader.mistake(format!("{place} is '{value}': write {from} to {to}"));
        }
    }
}

/// Passwords stand by themselves, so that the links can be shown.
fn passwords(reader: &mut Reader<'_>, links: &mut [LinkSetting]) {
    for line in reader.table("passwords") {
        let partner = Name::new(&line.word).unwrap_or_default();
        let Some(link) = links.iter_mut().find(|link| link.partner.same(&partner)) else {
            reader.mistake(format!("passwords names {}, to which there is no link", line.word));
            continue;
        };
        for (key, value) in &line.values {
            let Ok(password) = Name::new(value) else {
                reader.mistake(format!(
                    "a password of {partner} has more than 8 characters, or odd ones"
                ));
                continue;
            };
            match key.as_str() {
                "line" => link.settings.line_password = password,
                "node" => link.settings.node_password = password,
                "expect-line" => link.settings.expected_line_password = Some(password),
                "expect-node" => link.settings.expected_node_password = Some(password),
                _ => reader.mistake(format!(
                    "passwords knows no {key}= (for {partner}): write line, node, expect-line or expect-node"
                )),
            }
        }
    }
}
