//! Every file of mail or data that was taken from a real link, read; and what we
//! write, compared with it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use concord_cms_mail::netdata::{self, FileName, Netdata, RecordFormat, Transmission};
use concord_cms_mail::note::NoteRules;
use concord_cms_mail::{
    Arrived, CarriageControl, Device, FileTypes, HostAddress, Records, SpoolFile, attachment,
    bsmtp, read_lines,
};
use concord_ebcdic::CodePage::Cp037;

fn captured(name: &str) -> Records {
    let path = format!("{}/tests/data/{name}.records", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let octets = |line: &str| -> Vec<u8> {
        let digits: Vec<u8> = line
            .bytes()
            .map(|digit| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap())
            .collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    };
    text.lines().filter(|line| !line.starts_with('#')).map(octets).collect()
}

fn opened(name: &str, device: Device, carriage: CarriageControl) -> Arrived {
    let file = SpoolFile { device, carriage, records: captured(name), ..SpoolFile::default() };
    file.open(Cp037, &NoteRules::default()).unwrap()
}

fn transmission(name: &str) -> Transmission {
    match opened(name, Device::Punch, CarriageControl::None) {
        Arrived::Netdata(Netdata::Transmission(transmission)) => transmission,
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn a_file_in_netdata_is_read_with_its_name_form_and_dates() {
    let read = transmission("file-netdata");
    let host = |node, user| HostAddress::new(node, user).unwrap();
    assert_eq!(read.origin, Some(host("NODEA", "ALICE")));
    assert_eq!(read.recipients, [host("NODEB", "BOB")]);
    assert_eq!(read.sent.unwrap().to_string(), "2026-11-21T06:50:48Z");
    assert_eq!(read.acknowledge, None);
    let [file] = read.files.as_slice() else { panic!("{:?}", read.files) };
    assert!(matches!(&file.name, FileName::Cms(name) if name.to_string() == "HELLO TEXT A"));
    assert_eq!((file.format, file.record_length), (RecordFormat::VARYING, Some(132)));
    assert_eq!(file.created.unwrap().to_string(), "2026-11-21T06:49:55Z");
    assert_eq!(read_lines(&file.records, Cp037), ["first line of a file", "second line"]);
    let made = attachment(file, &FileTypes::default(), None, Cp037);
    assert_eq!(made.name, "HELLO.TEXT");
    assert_eq!(made.octets, b"first line of a file\r\nsecond line\r\n");
}

#[test]
fn a_batch_in_netdata_is_read_as_the_batch_in_cards_is() {
    let read = transmission("batch-netdata");
    let lines = read_lines(&read.files[0].records, Cp037);
    assert!(bsmtp::is_batch(&lines));
    let in_netdata = bsmtp::read(&lines).unwrap();
    assert_eq!(in_netdata.hello, "NODEA.BITNET");
    assert_eq!(in_netdata.messages[0].recipients, ["bob@nodeb"]);
    let Arrived::Batch(in_cards) = opened("batch-punch", Device::Punch, CarriageControl::None)
    else {
        panic!("no batch")
    };
    assert_eq!(in_cards.messages[0].sender, "ALICE@NODEA");
    assert_eq!(in_cards.messages[0].recipients, ["bob@nodeb", "carol@nodeb"]);
    assert_eq!(in_cards.tick.as_deref(), Some("1795243789"));
    let text = &in_cards.messages[0].lines;
    assert_eq!(text[0].split_whitespace().next(), Some("Date:"));
    assert!(text.iter().any(|line| line == ".dot at start of this line"));
    assert_eq!(&in_netdata.messages[0].lines, text);
}

#[test]
fn a_message_in_cards_is_a_message() {
    let Arrived::Message(lines) = opened("message-punch", Device::Punch, CarriageControl::None)
    else {
        panic!("no message")
    };
    assert_eq!(lines.len(), 8);
    assert_eq!(lines[4], "");
    assert_eq!(lines[6], ".dot at start of this line");
}

#[test]
fn plain_cards_and_listings_are_what_they_are() {
    let cards = opened("file-punch", Device::Punch, CarriageControl::None);
    assert_eq!(cards, Arrived::Cards);
    assert_eq!(read_lines(&captured("file-punch"), Cp037), ["first line of a file", "second line"]);
    assert_eq!(
        opened("listing-machine", Device::Print, CarriageControl::Machine),
        Arrived::Listing(vec!["first line of a file".into(), "second line".into()])
    );
    assert_eq!(
        opened("listing-asa", Device::Print, CarriageControl::Asa),
        Arrived::Listing(vec![
            "PAGE ONE ASA".into(),
            "second line ASA".into(),
            String::new(),
            "double spaced".into()
        ])
    );
}

#[test]
fn what_was_captured_reads_back_when_we_write_it() {
    for name in ["file-netdata", "batch-netdata"] {
        let read = transmission(name);
        let cards = netdata::write(&read).unwrap();
        assert!(cards.iter().all(|card| card.len() == 80));
        assert_eq!(netdata::read(&cards), Ok(Netdata::Transmission(read)), "{name}");
    }
}

/// Q221929: the connector read on for ever.
#[test]
fn netdata_that_is_cut_off_after_any_octet_is_an_error_and_no_loop() {
    let cards = captured("batch-netdata");
    let all = cards.joined();
    let trailer = all.windows(6).rposition(|name| name == b"\xC9\xD5\xD4\xD9\xF0\xF6").unwrap();
    for end in 0..trailer + 6 {
        let cut: Records = all[..end].chunks(80).collect();
        let read = netdata::read(&cut);
        assert!(read.is_err(), "{end}: {read:?}");
    }
    let whole: Records = all[..trailer + 6].chunks(80).collect();
    assert!(netdata::read(&whole).is_ok());
}

/// Trailing blanks of a card may be left off on the way.
#[test]
fn cards_without_the_blanks_behind_them_are_read_alike() {
    let cards = captured("file-netdata");
    let cut: Records = cards
        .iter()
        .map(|card| {
            let end = card.iter().rposition(|octet| *octet != 0x40).map_or(0, |at| at + 1);
            card[..end].to_vec()
        })
        .collect();
    assert_eq!(netdata::read(&cut), netdata::read(&cards));
}
