//! Prints what is in a recorded connection: `decode FILE.nje`.

use concord_nje::{
    Block, Direction, FrameReader, Record, RecordReader, Ttc, Unit, decode, read_capture,
};

/// One end of the connection.
#[derive(Default)]
struct End {
    held: Vec<u8>,
    frames: Option<FrameReader>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: decode FILE")?;
    let (mut opener, mut listener) = (End::default(), End::default());
    for piece in read_capture(&std::fs::read_to_string(path)?)? {
        let (end, mark) = match piece.direction {
            Direction::FromOpener => (&mut opener, "-->"),
            Direction::FromListener => (&mut listener, "<--"),
        };
        println!("{:>8} ms {mark} {} octets", piece.millis, piece.octets.len());
        end.print(&piece.octets)?;
    }
    Ok(())
}

impl End {
    fn print(&mut self, octets: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
        let Some(frames) = &mut self.frames else {
            self.held.extend_from_slice(octets);
            if let Some((ttc, rest)) = self.held.split_first_chunk() {
                println!("    {:?}", Ttc::parse(ttc)?);
                let mut frames = FrameReader::new(33);
                frames.feed(rest);
                self.frames = Some(frames);
            }
            return Ok(());
        };
        frames.feed(octets);
        while let Some(unit) = frames.next_unit()? {
            let Unit::Block { at, octets, .. } = unit else {
                println!("    an empty TTB");
                continue;
            };
            let Block::Data(block) = Block::parse(&octets)? else {
                println!("    {at:>6} {:?}", Block::parse(&octets)?);
                continue;
            };
            println!("    {at:>6} block {:?}, {:04X?}", block.bcb, block.fcs);
            let mut reader = RecordReader::new(&block.records);
            while let Some(record) = reader.next_record()? {
                match record {
                    Record::Job { stream, kind, octets } => {
                        println!("           {stream} {kind:?} {:?}", decode(&octets));
                    }
                    other => println!("           {other:?}"),
                }
            }
        }
        Ok(())
    }
}
