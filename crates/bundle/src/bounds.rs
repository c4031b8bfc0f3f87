//! Every bound of this crate, with its reason. What comes from outside is
//! measured against these before anything in it is believed.

/// A whole release bundle. The executable is some 30 MiB compressed; more than
/// this is not a release of Concord.
pub(crate) const MAX_BUNDLE: u64 = 1 << 30;
/// One file of metadata. A root with a dozen keys has 6 KiB; it is read into
/// memory before its signature is checked.
pub(crate) const MAX_METADATA: u64 = 256 << 10;
/// Root rotations that one bundle can carry; one a year is much.
pub(crate) const MAX_ROOTS: u64 = 64;
/// `release.json`: 10,000 files of 200 octets each. Read into memory.
pub(crate) const MAX_RELEASE_JSON: u64 = 2 << 20;
/// Files of a release.
pub(crate) const MAX_RELEASE_FILES: usize = 10_000;
/// Components of a release; there is one for each service and connector.
pub(crate) const MAX_COMPONENTS: usize = 256;
/// All files of a release or package together: what a decompressor may write.
pub(crate) const MAX_UNPACKED: u64 = 2 << 30;
/// What a compressed archive may decompress to: headers and padding come on
/// top of the files, 1/8 more is ample.
pub(crate) const MAX_DECOMPRESSED: u64 = MAX_UNPACKED + MAX_UNPACKED / 8;

/// A whole package of a connector, compressed.
pub(crate) const MAX_PACKAGE: u64 = 512 << 20;
/// Files of a package; a Python program with its libraries has some hundred.
pub(crate) const MAX_PACKAGE_FILES: usize = 2_000;
/// One file of a package.
pub(crate) const MAX_PACKAGE_FILE: u64 = 64 << 20;
/// `SHA256SUMS`: 2,000 lines of at most 66 + 255 octets. Read into memory.
pub(crate) const MAX_SUMS: u64 = 1 << 20;
/// `SHA256SUMS.minisig`: four lines; minisign allows comments of 8 KiB.
pub(crate) const MAX_SIGNATURE: u64 = 20 << 10;
/// `connector.toml` is some kilobytes. Read into memory.
pub(crate) const MAX_CONNECTOR_TOML: u64 = 256 << 10;
/// A file with a key, public or secret.
pub(crate) const MAX_KEY: u64 = 16 << 10;

/// A path in an archive: what a ustar header holds (155 + '/' + 100), rounded
/// down to what most file systems take for one name.
pub(crate) const MAX_PATH: usize = 255;
/// Directories in each other; unpacking and walking recurse no deeper.
pub(crate) const MAX_DEPTH: usize = 16;
/// Entries of an archive that are no files: directories and extension headers.
/// Stock tar writes one for each directory and one for each long name.
pub(crate) const MAX_OTHER_ENTRIES: u64 = 50_000;
/// The data of one extension header (a long name, a pax record).
pub(crate) const MAX_EXTENSION: u64 = 64 << 10;
/// Zeros behind the end mark: tar fills its last record, 10 KiB unless told
/// otherwise.
pub(crate) const MAX_PADDING: u64 = 1 << 20;
/// Read at a time; larger reads are not faster.
pub(crate) const CHUNK: usize = 64 << 10;

/// Days that a root of keys stays valid. A server that was off for years must
/// still be updatable; who loses root keys makes a new root before.
pub(crate) const ROOT_DAYS: u32 = 3_650;
/// Days that a release may be valid at most: as long as its root.
pub(crate) const MAX_EXPIRES_DAYS: u32 = ROOT_DAYS;
/// Root keys that [`crate::make_keys`] makes, and how many must sign: one may
/// be stolen without harm, and one may be lost.
pub(crate) const ROOT_KEYS: u32 = 3;
/// See [`ROOT_KEYS`].
pub(crate) const ROOT_THRESHOLD: u64 = 2;
