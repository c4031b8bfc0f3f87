//! A name server with a few names.

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, MX};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::net::SocketAddr;
use tokio::net::UdpSocket;

/// What a name has.
fn records(name: &str, kind: RecordType) -> Result<Vec<RData>, ResponseCode> {
    let a = |n: u8| vec![RData::A(A::new(127, 0, 0, n))];
    let mx = |list: &[(u16, &str)]| {
        let record = |(p, h): &(u16, &str)| RData::MX(MX::new(*p, Name::from_ascii(h).unwrap()));
        list.iter().map(record).collect::<Vec<_>>()
    };
    let (exchangers, address) = match name {
        "one.test." => (mx(&[(10, "mx1.test.")]), vec![]),
        "two.test." => (mx(&[(20, "mx2.test."), (10, "mx1.test.")]), vec![]),
        "fallback.test." => (mx(&[(10, "dead.test."), (20, "mx2.test.")]), vec![]),
        "allgone.test." => (mx(&[(10, "dead.test.")]), vec![]),
        "mx1.test." => (vec![], a(2)),
        "mx2.test." | "implicit.test." => (vec![], a(3)),
        "dead.test." => (vec![], a(9)),
        "null.test." => (mx(&[(0, ".")]), vec![]),
        "loop.test." => (mx(&[(10, "mail.example.test."), (20, "mx1.test.")]), vec![]),
        "backup.test." => (mx(&[(10, "mx1.test."), (20, "mail.example.test.")]), vec![]),
        "noaddress.test." => (mx(&[(10, "empty.test.")]), vec![]),
        "empty.test." => (vec![], vec![]),
        "broken.test." => return Err(ResponseCode::ServFail),
        _ => return Err(ResponseCode::NXDomain),
    };
    Ok(match kind {
        RecordType::MX => exchangers,
        RecordType::A => address,
        _ => vec![],
    })
}

/// Starts it; gives its address.
pub async fn start() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0u8; 1500];
        loop {
            let (octets, from) = socket.recv_from(&mut buffer).await.unwrap();
            let Ok(question) = Message::from_vec(&buffer[..octets]) else { continue };
            let answer = answer(&question);
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    address
}

fn answer(question: &Message) -> Message {
    let query = question.queries[0].clone();
    let mut answer = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
    answer.metadata.recursion_desired = true;
    answer.metadata.recursion_available = true;
    let name = query.name().to_ascii().to_lowercase();
    match records(&name, query.query_type()) {
        Ok(found) => {
            for data in found {
                answer.answers.push(Record::from_rdata(query.name().clone(), 60, data));
            }
        }
        Err(code) => answer.metadata.response_code = code,
    }
    answer.queries.push(query);
    answer
}
