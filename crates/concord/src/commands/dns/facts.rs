//! What records follow from: settings, policy, directory, keys, certificate.

use crate::commands::setup::run::host;
use crate::context::Context;
use crate::failure::Failure;
use concord_address::Domain;
use concord_dns_check::{ClientService, DkimKey, Facts, Outbound, is_public};
use concord_mail_authentication::KeyStore;
use concord_mail_policy::{Mode, Policy};
use concord_registry::Database;
use concord_settings::{Root, Settings};
use concord_setup::manifest::WEB;
use concord_setup::survey::Survey;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// What is given on the command line instead of being looked up.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Asked {
    /// A mail domain (may be given several times) [default: those of the directory]
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Vec<String>,
    /// The server's name [default: server.hostname of the settings]
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// An address by which the Internet reaches the server (may be given several times)
    /// [default: server.addresses, else the machine's own]
    #[arg(long, value_name = "IP")]
    pub address: Vec<IpAddr>,
    /// Where reports about our domains are to go [default: inbound.postmaster of the policy, else
    /// postmaster of the first domain]
    #[arg(long, value_name = "ADDRESS")]
    pub reports_to: Option<String>,
    /// You serve an MTA-STS policy at mta-sts.DOMAIN; this is its id [default: that of the policy
    /// that the component web serves]
    #[arg(long, value_name = "ID")]
    pub mta_sts: Option<String>,
    /// This host answers programs that configure themselves [default: this server, if the
    /// component web runs]
    #[arg(long, value_name = "NAME")]
    pub autoconfiguration: Option<String>,
}

/// The facts, and what else a check needs.
#[derive(Debug)]
pub struct Gathered {
    /// For the records.
    pub facts: Facts,
    /// `internet-mail.nameservers` of the settings.
    pub name_servers: Vec<SocketAddr>,
    /// Lists of the policy.
    pub blocklists: Vec<String>,
}

/// Looks up what was not said. Where no server is installed all of it must be.
pub fn gather(context: &Context, asked: &Asked) -> Result<Gathered, Failure> {
    let root = context.root()?;
    let settings = match root.config_file().exists() {
        true => concord_settings::load(&root)?,
        false => Settings::default(),
    };
    let policy = policy(&root)?;
    let installed = root.config_file().exists();
    if !installed && (asked.host.is_none() || asked.domain.is_empty()) {
        return Err(Failure::usage(
            "cli.dns-facts",
            format!(
                "cannot tell the records: no server is installed at {}; give --host and --domain",
                root.path().display()
            ),
        ));
    }
    let domains = domains(&root, asked)?;
    let of_first = domains.first().map(|domain| format!("postmaster@{domain}"));
    let chosen = policy.inbound.postmaster.as_ref().map(ToString::to_string);
    let outbound = match (&policy.outbound.route, &settings.internet_mail.smart_host) {
        (Some(route), _) => route.first().map(|hop| hop.host.clone()),
        (None, smart_host) => smart_host.as_ref().map(|host| host.host.clone()),
    };
    let host = asked.host.clone().unwrap_or_else(|| settings.server.hostname.clone());
    let host = canonical(&host)?;
    let web = has_web(&root);
    let of_web = || policy_id(&settings).filter(|_| web);
    let facts = Facts {
        addresses: addresses(asked, &settings),
        keys: keys(&root, &domains)?,
        domains,
        inbound: policy.mode == Mode::Normal,
        outbound: outbound.map_or(Outbound::Direct, Outbound::SmartHost),
        reports_to: asked.reports_to.clone().or(chosen).or(of_first),
        services: services(&settings),
        public_keys: public_keys(&root, &settings),
        mta_sts: asked.mta_sts.clone().or_else(of_web),
        autoconfiguration: asked.autoconfiguration.clone().or_else(|| web.then(|| host.clone())),
        host,
    };
    Ok(Gathered {
        facts,
        name_servers: settings.internet_mail.nameservers.clone(),
        blocklists: policy.blocklists.iter().map(|list| list.zone.clone()).collect(),
    })
}

/// The policy as the file says it; a missing file is an empty one.
pub fn policy(root: &Root) -> Result<Policy, Failure> {
    let file = root.mail_policy_file();
    match std::fs::read_to_string(&file) {
        Ok(text) => Policy::parse(&text).map_err(|error| {
            Failure::configuration(format!("cannot use {}:\n{error}", file.display()))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Policy::default()),
        Err(error) => Err(Failure::configuration(format!(
            "cannot read {}: {error}; run this as root or as the server's user",
            file.display()
        ))),
    }
}

/// A name in lower case with A-labels.
pub fn canonical(name: &str) -> Result<String, Failure> {
    match name.trim_end_matches('.').parse::<Domain>() {
        Ok(Domain::Name(name)) => Ok(name),
        _ => Err(Failure::usage(
            "cli.dns-name",
            format!("cannot use '{name}': it is no domain name; write one like 'example.org'"),
        )),
    }
}

fn domains(root: &Root, asked: &Asked) -> Result<Vec<String>, Failure> {
    if !asked.domain.is_empty() {
        return asked.domain.iter().map(|domain| canonical(domain)).collect();
    }
    let survey = Survey::take(&host(root))?;
    let Some(directory) = survey.directory else {
        let why = survey.directory_error.unwrap_or_else(|| "there is no directory yet".to_owned());
        return Err(Failure::new(
            "cli.dns-domains",
            format!("cannot tell which domains are ours: {why}; start the server, or give --domain"),
        ));
    };
    let mut domains = directory.domains;
    domains.sort();
    domains.iter().map(|domain| canonical(domain)).collect()
}

/// Said, set, listened on, or what the system would send from. Addresses that
/// the Internet cannot reach are left out: the DNS says the public ones then.
fn addresses(asked: &Asked, settings: &Settings) -> Vec<IpAddr> {
    if !asked.address.is_empty() {
        return asked.address.clone();
    }
    if !settings.server.addresses.is_empty() {
        return settings.server.addresses.clone();
    }
    let listens = settings.listen.smtp.iter().map(SocketAddr::ip);
    let mut found: Vec<IpAddr> = listens.filter(|ip| is_public(*ip)).collect();
    if found.is_empty() {
        let far = ["192.0.2.1:25", "[2001:db8::1]:25"];
        found.extend(far.iter().filter_map(|far| source_towards(far)).filter(|ip| is_public(*ip)));
    }
    found.sort();
    found.dedup();
    found
}

/// The address that the system would send from. A datagram socket is connected,
/// which sends nothing.
fn source_towards(far: &str) -> Option<IpAddr> {
    let local = if far.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    let socket = UdpSocket::bind(local).ok()?;
    socket.connect(far).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// The keys of some domains with their records. A directory that is not there
/// is not made.
fn keys(root: &Root, domains: &[String]) -> Result<Vec<DkimKey>, Failure> {
    let directory = root.dkim_keys();
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let store = KeyStore::open(&directory)?;
    let mine = store.ring().keys.iter().filter(|key| domains.contains(&key.domain));
    mine.map(|key| {
        let record = store.record(&key.domain, &key.selector)?;
        Ok(DkimKey { domain: key.domain.clone(), record, state: key.state })
    })
    .collect()
}

/// What mail programs connect to (RFC 6186, RFC 8314).
fn services(settings: &Settings) -> Vec<ClientService> {
    let listen = &settings.listen;
    let offered = [
        ("submissions", &listen.submissions),
        ("submission", &listen.submission),
        ("imaps", &listen.imaps),
        ("imap", &listen.imap),
        ("pop3s", &listen.pop3s),
        ("pop3", &listen.pop3),
    ];
    offered
        .into_iter()
        .filter_map(|(name, all)| Some(ClientService { name, port: all.first()?.port() }))
        .collect()
}

/// The hash of the key of the certificate that is served: the given one, else
/// the ordered one, else the self-made one. None is made here.
fn public_keys(root: &Root, settings: &Settings) -> Vec<String> {
    let ordered = settings.acme.is_on().then(|| concord_tls::ordered_files(&root.tls()));
    let own = concord_tls::self_made_files(&root.tls());
    let candidates = match crate::setup::given_certificate(settings) {
        Some(given) => vec![given],
        None => ordered.into_iter().chain([own]).collect(),
    };
    let key = candidates.iter().find_map(|files| concord_tls::public_key(files).ok());
    key.map(|key| concord_setup::hash::sha256(&key)).into_iter().collect()
}

/// Whether the service web runs here, which says what is asked over HTTPS.
fn has_web(root: &Root) -> bool {
    let layout = concord_setup::Layout::new(root.clone());
    let known = Database::new(layout.registry()).load().ok().flatten();
    known.is_some_and(|registry| registry.components.get(WEB).is_some_and(|web| web.enabled))
}

/// Octets of the id of a policy, in hexadecimal digits. RFC 8461 section 3.1
/// takes 32; these are enough to tell one policy from another.
const POLICY_ID: usize = 20;

/// The id of the MTA-STS policy that is served here: another one whenever the
/// policy is another one.
fn policy_id(settings: &Settings) -> Option<String> {
    let policy = crate::serve::web::policy(settings)?;
    let digest = concord_setup::hash::sha256(policy.to_text().as_bytes());
    digest.get(..POLICY_ID).map(str::to_owned)
}
