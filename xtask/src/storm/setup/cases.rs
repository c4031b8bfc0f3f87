//! The verbs, each with a server that gives it something to do.

use super::stage::Stage;
use concord_testkit::{Result, trouble};
use std::path::Path;

/// A verb.
pub struct Case {
    pub name: &'static str,
    /// Makes what is there before; leaves the server running or not, as it is.
    pub prepare: fn(&mut Stage<'_>) -> Result<()>,
    /// The verb itself.
    pub words: fn(&Stage<'_>) -> Result<Vec<String>>,
    /// Whether the server runs while it is carried out.
    pub running: bool,
    /// Whether the doctor finds nothing before it.
    pub healthy_before: bool,
    /// And behind it.
    pub healthy_after: bool,
    /// It ends a controller that nobody but a person starts again: undone, the
    /// server rests, and is otherwise as it was.
    pub stops: bool,
}

type Prepare = fn(&mut Stage<'_>) -> Result<()>;
type Words = fn(&Stage<'_>) -> Result<Vec<String>>;

impl Case {
    const fn running(name: &'static str, prepare: Prepare, words: Words) -> Self {
        let (healthy_before, healthy_after) = (true, true);
        Self { name, prepare, words, running: true, healthy_before, healthy_after, stops: false }
    }
    const fn resting(name: &'static str, prepare: Prepare, words: Words) -> Self {
        Self { running: false, ..Self::running(name, prepare, words) }
    }
    /// Something is wrong that it mends, or nothing is installed.
    const fn ill_before(mut self) -> Self {
        self.healthy_before = false;
        self
    }
    /// It takes everything away.
    const fn removes_all(self) -> Self {
        Self { stops: true, ..self.ill_after() }
    }
    /// It leaves something to mend.
    const fn ill_after(mut self) -> Self {
        self.healthy_after = false;
        self
    }
}

/// All of them.
pub const CASES: &[Case] = &[
    Case::resting("install", |_| Ok(()), install).ill_before(),
    Case::running("setup remove", installed, |_| words("setup remove internet-mail --yes")),
    Case::resting("setup remove", installed, |_| words("setup remove internet-mail --yes")),
    Case::running("setup add", without, |_| words("setup add internet-mail")),
    Case::resting("setup add", without, |_| words("setup add internet-mail")),
    Case::running("setup disable", installed, |_| words("setup disable internet-mail")),
    Case::running("setup enable", disabled, |_| words("setup enable internet-mail")),
    Case::running("connector install", installed, |s| s.install_words("webhook")),
    // Mailboxes get their addresses from the core, which does not run: CC-0505.
    Case::resting("connector install", installed, |s| s.install_words("webhook")).ill_after(),
    Case::running("connector install, the second", connected, |s| s.install_words("second")),
    Case::running("connector set", connected, set),
    Case::running("connector remove", connected, |_| words("connector remove webhook --yes")),
    Case::resting("connector remove", connected, |_| words("connector remove webhook --yes")),
    Case::running("setup repair", hurt, |_| words("setup repair")).ill_before(),
    Case::resting("setup repair", hurt, |_| words("setup repair")).ill_before(),
    Case::running("doctor --fix", hurt, |_| words("doctor --fix")).ill_before(),
    Case::resting("doctor --fix", torn, |_| words("doctor --fix")).ill_before(),
    Case::running("registry import", exported, import),
    Case::resting("registry import", exported, import),
    Case::running("backup create", installed, backup),
    Case::resting("backup create", connected, backup),
    Case::resting("recover on a fresh machine", destroyed, recover).ill_before(),
    Case::running("recover the store", backed_up, |s| recover_parts(s, "store")),
    Case::resting("recover everything", backed_up, recover),
    Case::running("update apply", connected, update),
    Case::resting("update apply", connected, update),
    Case::running("rollback", updated, |_| words("rollback --yes")),
    Case::resting("rollback", updated, |_| words("rollback --yes")),
    Case::running("remove --all", connected, |_| words("setup remove --all --yes")).removes_all(),
    Case::resting("remove --all", connected, |_| words("setup remove --all --yes")).removes_all(),
    Case::running("remove --all --keep data,keys", connected, |_| {
        words("setup remove --all --keep data,keys --yes")
    })
    .removes_all(),
    Case::running("remove --all --keep nothing", connected, |_| {
        words("setup remove --all --keep nothing --yes")
    })
    .removes_all(),
    Case::resting("remove --all --keep nothing", connected, |_| {
        words("setup remove --all --keep nothing --yes")
    })
    .removes_all(),
];

fn words(line: &str) -> Result<Vec<String>> {
    Ok(line.split(' ').map(str::to_owned).collect())
}

/// The words of a line, and one that may have blanks.
fn words_with(line: &str, last: impl Into<String>) -> Result<Vec<String>> {
    let mut all = words(line)?;
    all.push(last.into());
    Ok(all)
}

fn install(stage: &Stage<'_>) -> Result<Vec<String>> {
    words_with("setup install --answers", stage.site.answers()?.display().to_string())
}

fn set(_: &Stage<'_>) -> Result<Vec<String>> {
    words("connector set webhook --address-space SMTP:mine.internal --cost 7")
}

fn backup(stage: &Stage<'_>) -> Result<Vec<String>> {
    words_with("backup create", stage.backups())
}

fn update(stage: &Stage<'_>) -> Result<Vec<String>> {
    words_with("update apply", &stage.goods.bundle)
}

fn exported_file(stage: &Stage<'_>) -> String {
    stage.site.top().join("exported.toml").display().to_string()
}

fn import(stage: &Stage<'_>) -> Result<Vec<String>> {
    words_with("registry import --yes", exported_file(stage))
}

fn the_backup(stage: &Stage<'_>) -> Result<String> {
    let first = std::fs::read_dir(stage.backups())?.next();
    let entry = first.ok_or_else(|| trouble("there is no backup"))??;
    Ok(entry.path().display().to_string())
}

fn recover(stage: &Stage<'_>) -> Result<Vec<String>> {
    words_with("recover --yes --systemd no --no-user --no-link --no-start", the_backup(stage)?)
}

fn recover_parts(stage: &Stage<'_>, parts: &str) -> Result<Vec<String>> {
    words_with(&format!("recover --yes --parts {parts}"), the_backup(stage)?)
}

fn installed(stage: &mut Stage<'_>) -> Result<()> {
    stage.begin()
}

fn without(stage: &mut Stage<'_>) -> Result<()> {
    stage.begin()?;
    stage.site.ok(&["setup", "remove", "internet-mail", "--yes"]).map(|_| ())
}

fn disabled(stage: &mut Stage<'_>) -> Result<()> {
    stage.begin()?;
    stage.site.ok(&["setup", "disable", "internet-mail"]).map(|_| ())
}

fn connected(stage: &mut Stage<'_>) -> Result<()> {
    stage.begin()?;
    stage.connect()
}

/// Broken, but so that it runs.
fn hurt(stage: &mut Stage<'_>) -> Result<()> {
    connected(stage)?;
    stage.site.stop()?;
    let root = stage.site.root();
    std::fs::remove_file(root.join("services/webhook.toml"))?;
    std::fs::remove_file(root.join("services/internet-mail.toml"))?;
    Ok(())
}

/// As torn as the doctor can mend.
fn torn(stage: &mut Stage<'_>) -> Result<()> {
    hurt(stage)?;
    let root = stage.site.root();
    std::fs::remove_dir_all(root.join("log"))?;
    std::fs::write(root.join("services/stray.toml"), "of nobody")?;
    std::fs::remove_file(root.join("current"))?;
    std::os::unix::fs::symlink("releases/none", root.join("current"))?;
    std::fs::create_dir_all(root.join("releases/0.0.1"))?;
    std::fs::write(root.join("releases/0.0.1/concord"), "old")?;
    append(&root.join("services/core.toml"), "# by hand\n")
}

fn append(file: &Path, text: &str) -> Result<()> {
    let before = std::fs::read_to_string(file)?;
    Ok(std::fs::write(file, before + text)?)
}

/// An exported registry with a change that asks nothing of the machine.
fn exported(stage: &mut Stage<'_>) -> Result<()> {
    connected(stage)?;
    let file = exported_file(stage);
    stage.site.ok(&["registry", "export", &file])?;
    let text = std::fs::read_to_string(&file)?;
    let other = text.replace("key = \"", "key = \"0");
    if other == text {
        return Err(trouble("the exported registry has no key of a package"));
    }
    Ok(std::fs::write(&file, other)?)
}

/// With mail that came later.
fn backed_up(stage: &mut Stage<'_>) -> Result<()> {
    connected(stage)?;
    let backups = stage.backups();
    stage.site.ok(&["backup", "create", &backups])?;
    stage.site.send(super::stage::MAILBOX, "later")
}

fn destroyed(stage: &mut Stage<'_>) -> Result<()> {
    backed_up(stage)?;
    stage.site.ok(&["setup", "remove", "--all", "--keep", "nothing", "--yes"])?;
    stage.site.wait_ended()
}

fn updated(stage: &mut Stage<'_>) -> Result<()> {
    connected(stage)?;
    let bundle = stage.goods.bundle.clone();
    stage.site.ok(&["update", "apply", &bundle]).map(|_| ())
}
