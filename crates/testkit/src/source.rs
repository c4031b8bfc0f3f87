//! Connections from an address of one's own choice: all of 127.0.0.0/8 is this
//! machine, so one machine can be many clients.

use crate::trouble::Result;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};

/// Connects from `source`, any port.
///
/// # Errors
/// No connection.
pub fn connect_from(source: Ipv4Addr, address: SocketAddr) -> Result<TcpStream> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddrV4::new(source, 0))?;
    connect(&socket, &address)?;
    Ok(TcpStream::from(socket))
}
