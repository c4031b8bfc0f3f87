//! Sends a punch file from one link to another in memory, and shows who has it
//! when.

use concord_nje::{
    DataRecord, Event, JobItem, Link, LinkSettings, Name, Opening, StreamKind, Text, TodClock, Ttc,
    VmFile, encode,
};
use std::time::Duration;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
const NOW: Duration = Duration::ZERO;

fn main() -> Result {
    let (here, there) = (Name::new("NODEA")?, Name::new("NODEB")?);
    let mut a = Link::new(LinkSettings::new(here, there));
    let mut b = Link::new(LinkSettings::new(there, here));
    a.dialled(NOW)?;
    let open = a.take_output(NOW).ok_or("no OPEN")?;
    if b.peer_opened(&Ttc::parse(open[..].try_into()?)?, NOW) != Opening::Accepted {
        return Err("refused".into());
    }
    exchange(&mut a, &mut b)?;
    let stream = a.start(StreamKind::Sysout)?;
    exchange(&mut a, &mut b)?;
    for item in file(here, there)? {
        a.write(stream, &item)?;
    }
    a.end(stream)?;
    exchange(&mut a, &mut b)
}

/// Moves octets and prints events until both are silent.
fn exchange(a: &mut Link, b: &mut Link) -> Result {
    loop {
        let (from_a, from_b) = (a.take_output(NOW), b.take_output(NOW));
        if from_a.is_none() && from_b.is_none() {
            return Ok(());
        }
        b.receive(&from_a.unwrap_or_default(), NOW);
        a.receive(&from_b.unwrap_or_default(), NOW);
        while let Some(event) = a.poll() {
            println!("A: {event:?}");
        }
        while let Some(event) = b.poll() {
            println!("B: {event:?}");
            match event {
                Event::Asked { stream, .. } => b.permit(stream)?,
                // Here a spool would write the file and wait for the disk.
                Event::Whole(stream) => b.acknowledge(stream)?,
                _ => {}
            }
        }
    }
}

fn file(here: Name, there: Name) -> Result<Vec<JobItem>> {
    let (alice, bob) = (Name::new("ALICE")?, Name::new("BOB")?);
    let file = VmFile {
        entry_time: TodClock::from_unix_micros(1_795_253_969_575_936).ok_or("out of range")?,
        file_name: Text::new("HELLO")?,
        file_type: Text::new("TEXT")?,
        records: 2,
        ..VmFile::cards((here, alice), (there, bob))
    };
    let (header, data_set, trailer) = file.headers();
    let card = |text: &str| JobItem::Record(DataRecord::plain(encode(&format!("{text:<80}"))));
    Ok(vec![
        JobItem::JobHeader(header),
        JobItem::DataSetHeader(data_set),
        card("Hello,"),
        card("Bob."),
        JobItem::JobTrailer(trailer),
    ])
}
