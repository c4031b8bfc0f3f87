//! The questions of `concord setup mail` at a terminal.

use super::There;
use super::choices::Choices;
use crate::commands::setup::wizard::question;
use crate::failure::Failure;
use std::path::PathBuf;

/// Asks for what was not said; what is there stands in brackets.
pub fn ask(choices: &mut Choices, there: &There) -> Result<(), Failure> {
    eprintln!("Internet mail is set up in a few questions; Enter takes what stands in brackets.\n");
    if choices.hostname.is_none() {
        let known = &there.settings.server.hostname;
        let machine = crate::setup::machine_name();
        let default = if known.contains('.') { known } else { &machine };
        choices.hostname = Some(question("Full name of this server", default)?);
    }
    if choices.domain.is_empty() {
        let host = choices.hostname.clone().unwrap_or_default();
        let parent = host.split_once('.').map_or("", |(_, parent)| parent).to_owned();
        let default = match there.domains.is_empty() {
            true => parent,
            false => there.domains.join(" "),
        };
        let answer = question("Domains that mail is taken for, with spaces between", &default)?;
        choices.domain =
            answer.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    }
    if choices.administrator.is_none() {
        let known = there.policy.inbound.postmaster.as_ref().map(ToString::to_string);
        let what = "Who gets mail to postmaster and abuse, and reports (an address, '-' for nobody)";
        let answer = question(what, known.as_deref().unwrap_or("-"))?;
        choices.administrator = Some(answer).filter(|answer| answer != "-");
    }
    outbound(choices, there)?;
    certificate(choices, there)
}

fn outbound(choices: &mut Choices, there: &There) -> Result<(), Failure> {
    if choices.smart_host.is_some() || choices.direct {
        return Ok(());
    }
    let mail = &there.settings.internet_mail;
    let known = mail.smart_host.as_ref().map(|host| format!("{}:{}", host.host, host.port));
    let what = "Outgoing mail goes by this host ('-' delivers it directly)";
    let answer = question(what, known.as_deref().unwrap_or("-"))?;
    if answer == "-" {
        choices.direct = true;
        return Ok(());
    }
    if Some(&answer) != known.as_ref() {
        let user = question("User name there ('-' for none)", "-")?;
        if user != "-" {
            let file = question("File with the password", "etc/smart-host.password")?;
            choices.smart_host_user = Some(user);
            choices.smart_host_password_file = Some(PathBuf::from(file));
            // A name and a password go over TLS only.
            choices.smart_host_tls.get_or_insert_with(|| "required".to_owned());
        }
    }
    choices.smart_host = Some(answer);
    Ok(())
}

fn certificate(choices: &mut Choices, there: &There) -> Result<(), Failure> {
    if choices.certificate.is_some() || choices.acme_directory.is_some() {
        return Ok(());
    }
    let shown = |path: &Option<PathBuf>| {
        path.as_ref().map_or_else(|| "-".to_owned(), |path| path.display().to_string())
    };
    let tls = &there.settings.tls;
    let what = "Certificate with its chain, a PEM file ('acme' orders one, '-' is a self-made one)";
    let known = match (&tls.certificate, there.settings.acme.is_on()) {
        (None, true) => "acme".to_owned(),
        (known, _) => shown(known),
    };
    let file = question(what, &known)?;
    if file == "acme" {
        return authority(choices, there);
    }
    if file == "-" {
        return Ok(());
    }
    let key = question("Its private key, a PEM file", &shown(&tls.key))?;
    choices.certificate = Some(PathBuf::from(file));
    choices.key = Some(PathBuf::from(key));
    Ok(())
}

/// Let's Encrypt's, the authority that most take.
const USUAL_AUTHORITY: &str = "https://acme-v02.api.letsencrypt.org/directory";

fn authority(choices: &mut Choices, there: &There) -> Result<(), Failure> {
    let acme = &there.settings.acme;
    if acme.is_on() {
        return Ok(());
    }
    let url = question("Directory of the certification authority", USUAL_AUTHORITY)?;
    let agrees = question("Do you agree to its terms of service (yes, no)", "no")?;
    if matches!(agrees.as_str(), "y" | "yes") {
        choices.acme_directory = Some(url);
        choices.accept_terms = true;
    } else {
        eprintln!("without that it takes no orders; the server goes on with the certificate it has");
    }
    Ok(())
}
