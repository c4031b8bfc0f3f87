//! Keys of text units.

pub(super) const INMDSNAM: u16 = 0x0002;
pub(super) const INMTERM: u16 = 0x0028;
pub(super) const INMDSORG: u16 = 0x003C;
pub(super) const INMLRECL: u16 = 0x0042;
pub(super) const INMRECFM: u16 = 0x0049;
pub(super) const INMTNODE: u16 = 0x1001;
pub(super) const INMTUID: u16 = 0x1002;
pub(super) const INMFNODE: u16 = 0x1011;
pub(super) const INMFUID: u16 = 0x1012;
pub(super) const INMLREF: u16 = 0x1020;
pub(super) const INMLCHG: u16 = 0x1021;
pub(super) const INMCREAT: u16 = 0x1022;
pub(super) const INMFTIME: u16 = 0x1024;
pub(super) const INMTTIME: u16 = 0x1025;
pub(super) const INMFACK: u16 = 0x1026;
pub(super) const INMERRCD: u16 = 0x1027;
pub(super) const INMUTILN: u16 = 0x1028;
pub(super) const INMUSERP: u16 = 0x1029;
pub(super) const INMSIZE: u16 = 0x102C;
pub(super) const INMNUMF: u16 = 0x102F;
