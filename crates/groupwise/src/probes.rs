//! What `concord connector test` looks at, each with what mends it.

use crate::gateway::GatewayError;
use crate::link::Link;
use crate::sync::Answers;
use concord_base::Fault as _;
use concord_connector::wire::Probe;
use concord_groupwise_api::model::{Address, BusySearch, Message, PROBE_USER, probe_id};
use concord_groupwise_api::{Moment, layout};
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A file in `API_IN` that is older: the gateway takes files at once.
const GATEWAY_SLOW: Duration = Duration::from_secs(300);
/// How long a probe may be on its way through the gateway; the core wants to know
/// within 20 seconds.
const ECHO: Duration = Duration::from_secs(12);

/// Looks at everything. What cannot work if an earlier one failed is left out.
pub(crate) async fn all(link: &Link, answers: &Answers) -> Vec<Probe> {
    let mut probes = vec![directory(link).await];
    if !passed(&probes) {
        return probes;
    }
    probes.push(writable(link).await);
    probes.push(problems(link).await);
    probes.push(alive(link).await);
    probes.push(names(link));
    probes.push(echo(link, answers).await);
    probes
}

fn passed(probes: &[Probe]) -> bool {
    probes.iter().all(|probe| probe.passed)
}

async fn directory(link: &Link) -> Probe {
    let root = link.gateway.root().display().to_string();
    match link.gateway.blocking(|gateway| gateway.check()).await {
        Ok(()) => {
            Probe::passed("directory", format!("{root} has API_IN, ATT_IN, API_OUT, ATT_OUT"))
        }
        Err(error) => Probe::failed(
            "directory",
            error.to_string(),
            format!(
                "mount the gateway's volume so that {root} is its directory (<domain>/wpgate/<gateway>), \
                 or set another: concord connector set {} --setting directory=/path",
                link.name
            ),
        ),
    }
}

async fn writable(link: &Link) -> Probe {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let done = link.gateway.blocking(move |gateway| {
        let directory = gateway.root().join(layout::ATT_IN);
        let first = directory.join(format!("cntest{}.tm1", number % 100));
        let second = directory.join(format!("cntest{}.tm2", number % 100));
        let fail = |cause| GatewayError::Io {
            what: "write, rename or remove",
            path: first.clone(),
            cause,
        };
        fs::write(&first, b"test").map_err(fail)?;
        fs::rename(&first, &second).map_err(fail)?;
        fs::remove_file(&second).map_err(fail)
    });
    match done.await {
        Ok(()) => Probe::passed("write", "a file was written, renamed and removed in ATT_IN"),
        Err(error) => Probe::failed(
            "write",
            error.to_string(),
            "give the account that Concord runs as the rights to create, rename and delete in \
             the gateway's directory",
        ),
    }
}

async fn problems(link: &Link) -> Probe {
    match link.gateway.blocking(|gateway| gateway.list(layout::GWPROB)).await {
        Ok(files) if files.is_empty() => Probe::passed("problem files", "GWPROB is empty"),
        Ok(files) => {
            let newest = files.last().map(|file| file.name.clone()).unwrap_or_default();
            Probe::failed(
                "problem files",
                format!("{} files in GWPROB, the newest is {newest}", files.len()),
                "read the lines behind -END- in them; most often the gateway's addressing format \
                 is not Component; then remove the files",
            )
        }
        Err(GatewayError::Missing { .. }) => Probe::passed("problem files", "there is no GWPROB"),
        Err(error) => Probe::failed("problem files", error.to_string(), "look at GWPROB's rights"),
    }
}

async fn alive(link: &Link) -> Probe {
    let files = match link.gateway.blocking(|gateway| gateway.list(layout::API_IN)).await {
        Ok(files) => files,
        Err(error) => {
            return Probe::failed("gateway", error.to_string(), "look at API_IN's rights");
        }
    };
    let age = files.first().map(|file| link.age(file)).unwrap_or_default();
    match age < GATEWAY_SLOW {
        true => Probe::passed("gateway", format!("{} files wait in API_IN", files.len())),
        false => Probe::failed(
            "gateway",
            format!(
                "{} files wait in API_IN, the oldest for {} minutes",
                files.len(),
                age.as_secs() / 60
            ),
            "start the API gateway (API.NLM), and look at its screen and log",
        ),
    }
}

fn names(link: &Link) -> Probe {
    let settings = &link.settings;
    let seen = format!(
        "this organisation is {}.{}, the gateway's domain {}, code page {}",
        settings.foreign_domain,
        settings.post_office,
        settings.gateway_domain,
        settings.characters.page.name()
    );
    match settings.gateway_domain.is_empty() {
        false => Probe::passed("names", seen),
        true => Probe::failed(
            "names",
            "gateway-domain is not set",
            format!("concord connector set {} --setting gateway-domain=NAME", link.name),
        ),
    }
}

/// Sends a probe through the gateway to itself (Q260690, Q273736).
async fn echo(link: &Link, answers: &Answers) -> Probe {
    let settings = &link.settings;
    let domain = match settings.gateway_domain.as_str() {
        "" => &settings.foreign_domain,
        domain => domain,
    };
    let at = without_seconds(link.moment());
    let from = Address::new(&settings.foreign_domain, &settings.post_office, PROBE_USER);
    let about = Address::new(domain, &settings.post_office, PROBE_USER);
    let tested = about.to_string();
    let id = probe_id(at.local, link.moment().local);
    let search = BusySearch { id: id.clone(), from, about, begin: at, end: at };
    let began = tokio::time::Instant::now();
    let fail = |seen: String| {
        let mend = format!(
            "the probe for {tested} went into API_IN and has to come back into API_OUT: is the \
             gateway running, is the domain {} External Foreign and linked to it, and is \
             gateway-domain the gateway's own domain?",
            settings.foreign_domain
        );
        Probe::failed("echo", seen, mend)
    };
    if let Err(error) = link.publish(id, Message::Search(search)).await {
        return fail(format!("{error} [{}]", error.code()));
    }
    let fits = move |begin: &Moment| begin.local == at.local;
    match tokio::time::timeout(ECHO, answers.probe(fits)).await {
        Ok(_) => {
            Probe::passed("echo", format!("came back after {} ms", began.elapsed().as_millis()))
        }
        Err(_) => fail(format!("no answer within {} seconds", ECHO.as_secs())),
    }
}

/// The files tell times to the minute.
fn without_seconds(moment: Moment) -> Moment {
    let local = moment.local;
    let local = local.with().second(0).subsec_nanosecond(0).build().unwrap_or(local);
    Moment { local, ..moment }
}
