//! `cargo xtask deb`: a package for Debian, put together by dpkg-deb.
//!
//! The scripts and texts are in `packaging/debian`; here they only get their
//! values.

use crate::product;
use crate::workspace::{must, program, root, target};
use clap::Args;
use concord_testkit::{Result, run as run_program, tool, trouble};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
/// Scripts that dpkg runs.
const SCRIPTS: &[&str] = &["postinst", "prerm", "postrm"];
/// Libraries that the executable may need, and the packages that have them.
/// Another one is a mistake in the choice of features.
const LIBRARIES: &[(&str, &str)] = &[
    ("libc.so.", "libc6"),
    ("libm.so.", "libc6"),
    ("libdl.so.", "libc6"),
    ("libpthread.so.", "libc6"),
    ("ld-linux", "libc6"),
    ("libgcc_s.so.", "libgcc-s1"),
];

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    product: product::Source,
    /// Where the package goes.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How it is compressed, as dpkg-deb has it.
    #[arg(long, value_name = "TYPE", default_value = "xz")]
    compression: String,
}

/// Builds, lays out, packs; prints where the package is.
pub fn run(options: &Options) -> Result<()> {
    let out = options.out.clone().unwrap_or_else(|| target().join("debian"));
    let package = pack(&options.product, &out, &options.compression)?;
    println!("package: {}", package.display());
    println!("size: {}", package.metadata()?.len());
    Ok(())
}

/// The packages that the scenarios install, of executables that are built
/// already: not compressed, which takes longer than all the rest.
pub fn for_tests(executables: &[PathBuf]) -> Result<()> {
    let out = target().join("debug/deb");
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    for executable in executables {
        pack(&product::Source::built(executable.clone()), &out, "none")?;
    }
    Ok(())
}

fn pack(source: &product::Source, out: &Path, compression: &str) -> Result<PathBuf> {
    if tool("dpkg-deb").is_none() {
        return Err(trouble("dpkg-deb is not installed; it is in Debian's package dpkg"));
    }
    let product = product::obtain(source)?;
    let stage = tempfile::tempdir()?;
    let tree = stage.path();
    std::fs::set_permissions(tree, PermissionsExt::from_mode(0o755))?;
    let documents = tree.join("usr/share/doc/concord");
    for directory in [&tree.join("usr/bin"), &documents, &tree.join("DEBIAN")] {
        std::fs::create_dir_all(directory)?;
    }
    product.executable(&tree.join("usr/bin/concord"))?;
    product.share(&tree.join("usr"))?;
    compress_pages(&tree.join("usr/share/man/man1"))?;
    std::fs::copy(root().join("CHANGELOG.md"), documents.join("changelog"))?;
    gzip(&documents.join("changelog"))?;
    std::fs::copy(text("copyright"), documents.join("copyright"))?;

    let version = debian_version(&product.facts.version);
    let architecture = said("dpkg", &["--print-architecture"])?;
    control(tree, &version, &architecture)?;
    for script in SCRIPTS {
        let place = tree.join("DEBIAN").join(script);
        std::fs::copy(text(script), &place)?;
        std::fs::set_permissions(&place, PermissionsExt::from_mode(0o755))?;
    }
    // What cp makes follows our mask; a package has none.
    must(program("chmod").args(["-R", "u+rwX,go+rX,go-w"]).arg(tree))?;
    std::fs::create_dir_all(out)?;
    // dpkg-deb runs elsewhere than we do.
    let package = out.canonicalize()?.join(format!("concord_{version}_{architecture}.deb"));
    let mut build = program("dpkg-deb");
    build.args(["--root-owner-group", "-Z", compression, "--build"]).arg(tree).arg(&package);
    must(build.stdout(std::process::Stdio::null()))?;
    Ok(package)
}

fn text(name: &str) -> PathBuf {
    root().join("packaging/debian").join(name)
}

/// Debian's versions know no '-' in front of a preliminary release, and sort
/// '~' before everything (deb-version(7)).
fn debian_version(version: &str) -> String {
    format!("{}-1", version.replacen('-', "~", 1))
}

fn said(name: &str, arguments: &[&str]) -> Result<String> {
    let done = run_program(Command::new(name).args(arguments), PATIENCE)?.ok()?;
    Ok(done.stdout.trim().to_owned())
}

/// Writes the control file and the sums of all files.
fn control(tree: &Path, version: &str, architecture: &str) -> Result<()> {
    let template = std::fs::read_to_string(text("control.in"))?;
    let size = said("du", &["-sk", "--exclude=DEBIAN", &tree.display().to_string()])?;
    let size = size.split_whitespace().next().unwrap_or("0").to_owned();
    let filled = template
        .replace("@VERSION@", version)
        .replace("@ARCHITECTURE@", architecture)
        .replace("@SIZE@", &size)
        .replace("@LIBRARIES@", &libraries(&tree.join("usr/bin/concord"))?);
    std::fs::write(tree.join("DEBIAN/control"), filled)?;
    let sums = "find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum > DEBIAN/md5sums";
    must(Command::new("sh").args(["-c", sums]).current_dir(tree))
}

/// The packages of the libraries that the executable needs, with the version
/// of the C library by the symbols that it uses.
fn libraries(executable: &Path) -> Result<String> {
    if tool("objdump").is_none() {
        println!("objdump is not installed; the package depends on any libc6");
        return Ok("libc6, libgcc-s1".to_owned());
    }
    let headers = said("objdump", &["-p", &executable.display().to_string()])?;
    let mut packages = BTreeSet::new();
    for line in headers.lines() {
        let Some(library) = line.trim().strip_prefix("NEEDED") else { continue };
        let library = library.trim();
        let known = LIBRARIES.iter().find(|(name, _)| library.starts_with(name));
        let (_, package) = known.ok_or_else(|| {
            trouble(format!("the executable needs {library}, which is in no package we know"))
        })?;
        packages.insert(*package);
    }
    let glibc = newest_glibc(&headers);
    let mut named = packages.iter().map(|package| match (*package, &glibc) {
        ("libc6", Some((major, minor))) => format!("libc6 (>= {major}.{minor})"),
        (package, _) => package.to_owned(),
    });
    let first = named.next().ok_or_else(|| trouble("the executable needs no library at all"))?;
    Ok(named.fold(first, |all, next| format!("{all}, {next}")))
}

/// The newest `GLIBC_2.x` in the version references of `objdump -p`.
fn newest_glibc(headers: &str) -> Option<(u32, u32)> {
    let versions = headers.split("GLIBC_").skip(1).filter_map(|rest| {
        let digits = |text: &str| -> Option<u32> {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text.get(..end)?.parse().ok()
        };
        let (major, minor) = rest.split_once('.')?;
        Some((digits(major)?, digits(minor)?))
    });
    versions.max()
}

fn compress_pages(directory: &Path) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        gzip(&entry?.path())?;
    }
    Ok(())
}

/// As Debian's policy has it (12.3): best, without name and time.
fn gzip(file: &Path) -> Result<()> {
    must(program("gzip").args(["-9n", "--force"]).arg(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preliminary_versions_sort_before_the_release() {
        assert_eq!(debian_version("1.2.3"), "1.2.3-1");
        assert_eq!(debian_version("1.2.3-rc-1+b"), "1.2.3~rc-1+b-1");
    }

    #[test]
    fn the_newest_symbol_decides() {
        let headers = "  NEEDED  libc.so.6\n 0x0 GLIBC_2.2.5\n 0x0 GLIBC_2.34\n 0x0 GLIBC_2.4\n";
        assert_eq!(newest_glibc(headers), Some((2, 34)));
        assert_eq!(newest_glibc("GLIBC_PRIVATE"), None);
    }
}
