//! What holds for any input.

use crate::note::{
    self, AddressStyle, Answer, Layout, NoteForm, NoteRules, Person, Release, Separator,
};
use crate::{
    CarriageControl, Device, FileTypes, Nodes, Records, SpoolFile, Undelivered, in_body, meeting,
    names, netdata, read_lines,
};
use concord_ebcdic::CodePage;

/// NETDATA in cards.
pub fn fuzz_netdata(data: &[u8]) {
    netdata::fuzz(data);
    let types = FileTypes::default();
    let cards: Records = data.chunks(crate::limits::CARD).collect();
    if let Ok(netdata::Netdata::Transmission(transmission)) = netdata::read(&cards) {
        for file in &transmission.files {
            let _ = crate::attachment(file, &types, None, CodePage::Cp500);
        }
    }
}

/// Notes, batches, decks and listings; `data` is text with line ends.
pub fn fuzz_notes(data: &[u8]) {
    let records: Records = data.split(|octet| *octet == b'\n').collect();
    let text = String::from_utf8_lossy(data);
    let lines: Vec<String> = crate::lines(&text).map(str::to_owned).collect();
    for (form, release) in [(NoteForm::Cms, Release::Two), (NoteForm::Profs, Release::One)] {
        let rules = NoteRules { form, release, ..NoteRules::default() };
        if let Ok(note) = note::read(&lines, &rules) {
            assert!(note.text.len() <= lines.len(), "text is not made up");
            let _ = note.reply(&Person::default(), Answer::EverybodyAndFoot);
            let layout = Layout {
                addresses: AddressStyle::Dashes,
                separator: Separator::Dashes,
                margin: 40,
            };
            let _ = note.write(&layout);
        }
        // The same octets in EBCDIC.
        for device in [Device::Punch, Device::Print] {
            let file = SpoolFile {
                device,
                carriage: CarriageControl::Asa,
                records: records.clone(),
                ..SpoolFile::default()
            };
            let _ = file.open(CodePage::Cp037, &rules);
        }
    }
    let _ = crate::bsmtp::read(&lines).map(|batch| {
        if let Ok(again) = batch.write(usize::MAX) {
            assert!(crate::bsmtp::read(&again).is_ok(), "a written batch is one");
        }
    });
    let _ = in_body::take(&lines, in_body::DEFAULT_KEYWORD);
    let _ = meeting::read_meeting(
        &lines,
        &[meeting::MeetingLabels::english()],
        note::DateOrder::DayFirst,
    );
    let _ = Undelivered::find(&lines);
    let _ = read_lines(&records, CodePage::Cp1047);
    let _ = crate::listing::print(&records, CarriageControl::Machine, CodePage::Cp1047);
    let _ = crate::punch::read(&records);
}

/// NAMES and NODES files, and the tables.
pub fn fuzz_names(data: &[u8]) {
    names::fuzz(data);
    let text = String::from_utf8_lossy(data);
    let _ = Nodes::parse(&text);
    let _ = FileTypes::parse(&text);
    for word in text.split('\n') {
        if let Ok(address) = word.parse::<crate::HostAddress>() {
            assert_eq!(address.to_string().parse(), Ok(address), "it reads back");
        }
    }
}
