//! A client that shows each line.

use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

pub struct Client(BufReader<TcpStream>);

impl Client {
    /// Gives the greeting, too.
    pub async fn connect(server: SocketAddr) -> (Self, String) {
        Self::connect_from(IpAddr::from([127, 0, 0, 1]), server).await
    }

    /// From another address of this machine.
    pub async fn connect_from(client: IpAddr, server: SocketAddr) -> (Self, String) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(client, 0)).unwrap();
        let mut client = Self(BufReader::new(socket.connect(server).await.unwrap()));
        let greeting = client.reply().await;
        (client, greeting)
    }

    pub async fn hello(server: SocketAddr) -> Self {
        Self::hello_from(IpAddr::from([127, 0, 0, 1]), server).await
    }

    pub async fn hello_from(client: IpAddr, server: SocketAddr) -> Self {
        let (mut client, _) = Self::connect_from(client, server).await;
        client.say("EHLO client.test").await;
        client
    }

    /// A whole reply; empty at the end.
    pub async fn reply(&mut self) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.unwrap_or(0) == 0 {
                return all;
            }
            all.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return all;
            }
        }
    }

    pub async fn say(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.reply().await
    }
}
