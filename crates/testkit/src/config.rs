//! The configuration file of a server under test.

use crate::ports::Ports;
use crate::trouble::Result;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};

/// The domain that `concord up --demo` makes.
pub const DOMAIN: &str = "example.test";
/// The password of its mailboxes.
pub const PASSWORD: &str = "demo";

/// Settings that differ from the defaults, and where the services listen.
#[derive(Debug, Clone)]
pub struct Config {
    settings: BTreeMap<String, BTreeMap<String, String>>,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Config {
    /// What `--demo` chooses, on ports of our own.
    pub(crate) fn demo(ports: &Ports) -> Result<Self> {
        let mut config = Self { settings: BTreeMap::new(), listeners: BTreeMap::new() };
        let plain =
            ["smtp", "submission", "imap", "imaps", "pop3", "ldap", "ldaps", "http", "https"];
        for name in plain {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports.next()?));
            config.listeners.insert(name.to_owned(), address);
            config.set("listen", name, format!("[\"{address}\"]"));
        }
        for name in ["submissions", "pop3s"] {
            config.set("listen", name, "[]");
        }
        config.set("server", "hostname", "\"mail.example.test\"");
        config.set("tls", "allow-plaintext-auth", "true");
        config.set("limits", "sessions-per-client", "2000");
        config.set("internet-mail", "reverse-dns", "false");
        // No name server answers here: a stranger's domain waits in the queue
        // instead of reaching a real one.
        config.set("internet-mail", "nameservers", "[\"127.0.0.1:9\"]");
        Ok(config)
    }

    /// Sets `key` of `[section]` to a TOML value.
    pub fn set(&mut self, section: &str, key: &str, value: impl Into<String>) {
        let section = self.settings.entry(section.to_owned()).or_default();
        section.insert(key.to_owned(), value.into());
    }

    /// Leaves a key at its default.
    pub fn unset(&mut self, section: &str, key: &str) {
        if let Some(keys) = self.settings.get_mut(section) {
            keys.remove(key);
        }
    }

    /// Hands every outbound message to a host on this machine, without TLS.
    pub fn smart_host(&mut self, at: SocketAddr) {
        self.set("internet-mail", "smart-host", format!("\"{at}\""));
        self.set("internet-mail", "smart-host-tls", "\"off\"");
        // A storm kills in the middle of deliveries; nobody wants to wait the
        // two minutes that an administrator would.
        self.set("queue", "retry-schedule", "[\"1 s\", \"2 s\", \"5 s\"]");
    }

    /// Lets services crash as often as a storm wants.
    pub fn endure_crashes(&mut self) {
        self.set("controller", "crash-budget", "1000000");
        self.set("controller", "back-off-min", "\"20 ms\"");
        self.set("controller", "back-off-max", "\"200 ms\"");
    }

    /// Where a listener of `[listen]` is.
    pub fn address(&self, listener: &str) -> SocketAddr {
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        self.listeners.get(listener).copied().unwrap_or(nowhere)
    }

    /// All listeners.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.values().copied().collect()
    }

    pub(crate) fn to_toml(&self) -> String {
        let mut text = String::new();
        for (section, keys) in &self.settings {
            let _ = writeln!(text, "[{section}]");
            for (key, value) in keys {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        text
    }
}
