//! The tables that come with the connectors. An administrator's own table goes
//! over them, line by line ([`crate::Table::over`]).
//!
//! There are no rules for `DN` and `USN`, which the original's tables had: the
//! engine knows an entry by its key, and compares instead of counting.

use crate::problem::Problems;
use crate::rule_set::Needs;
use crate::rule_table::RuleTable;
use crate::schema::SchemaTable;

/// The attributes of recipients in this directory.
pub const OUR_SCHEMA: &str = include_str!("../tables/directory.tbl");

/// The tables of one kind of foreign system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    /// The foreign attributes.
    pub schema: &'static str,
    /// Rules from there to here.
    pub import: &'static str,
    /// Rules from here to there.
    pub export: &'static str,
    /// Foreign tags that an exported entry cannot do without.
    pub export_needs: Needs<'static>,
}

/// What an imported recipient cannot do without.
pub const IMPORT_NEEDS: Needs<'static> = Needs { tags: &["TA", "FULLNAME", "ALIAS"] };

/// Lotus Notes and Domino (Q180517).
pub const NOTES: Shipped = Shipped {
    schema: include_str!("../tables/notes.tbl"),
    import: include_str!("../tables/notes-to-directory.map"),
    export: include_str!("../tables/directory-to-notes.map"),
    export_needs: Needs { tags: &["FULLNAME", "MAILDOMAIN"] },
};

/// Novell GroupWise (Q231687, Q240874).
pub const GROUPWISE: Shipped = Shipped {
    schema: include_str!("../tables/groupwise.tbl"),
    import: include_str!("../tables/groupwise-to-directory.map"),
    export: include_str!("../tables/directory-to-groupwise.map"),
    export_needs: Needs { tags: &["GWADDR", "LASTNAME"] },
};

/// OfficeVision/VM, PROFS and CMS: NAMES files.
pub const OVVM: Shipped = Shipped {
    schema: include_str!("../tables/ovvm.tbl"),
    import: include_str!("../tables/ovvm-to-directory.map"),
    export: include_str!("../tables/directory-to-ovvm.map"),
    export_needs: Needs { tags: &["HOSTADDR"] },
};

/// Tables, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// This directory's attributes.
    pub ours: SchemaTable,
    /// The foreign system's.
    pub theirs: SchemaTable,
    /// Rules from there to here.
    pub import: RuleTable,
    /// Rules from here to there.
    pub export: RuleTable,
}

impl Shipped {
    /// Reads the tables.
    ///
    /// # Errors
    /// None that a build of Concord has; tests read every shipped table.
    pub fn tables(&self) -> Result<Tables, Problems> {
        Ok(Tables {
            ours: SchemaTable::parse(OUR_SCHEMA)?,
            theirs: SchemaTable::parse(self.schema)?,
            import: RuleTable::parse(self.import)?,
            export: RuleTable::parse(self.export)?,
        })
    }
}
