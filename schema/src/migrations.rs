//! The numbered SQL that creates the databases. Never edit a released file, comments included: its SHA-256 is stored in
//! `schema_migrations`. A change is a new file. This module does not apply migrations.

use sha2::{Digest, Sha256};

/// One numbered SQL file. Each statement ends with `;` at the end of a line; `{database}` stands for the name of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The number. Migrations are applied in ascending order, without gaps.
    pub number: u32,
    /// The file name without extension.
    pub name: &'static str,
    /// The SQL text.
    pub sql: &'static str,
}

impl Migration {
    /// SHA-256 of the text, in hex. Comments count.
    pub fn checksum(&self) -> String {
        use std::fmt::Write as _;
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(self.sql) {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    /// The statements for `database`, in order.
    pub fn statements(&self, database: &str) -> Vec<String> {
        self.sql
            .split(";\n")
            .map(|statement| statement.replace("{database}", database).trim().to_owned())
            .filter(|statement| {
                !statement
                    .lines()
                    .all(|l| l.trim().is_empty() || l.starts_with("--"))
            })
            .collect()
    }
}

macro_rules! migrations {
    ($($folder:literal $number:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../sql/", $folder, "/", $name, ".sql")),
        }),*]
    };
}

/// The migrations of all databases.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The migrations of the control database.
    pub control: &'static [Migration],
    /// The migrations of each generation's database.
    pub generation: &'static [Migration],
}

/// The migrations of this version.
pub const SCHEMA: Schema = Schema {
    control: CONTROL,
    generation: GENERATION,
};

/// The migrations of the control database, which lists the generations.
pub const CONTROL: &[Migration] = migrations!["control" 1 "0001_generations"];

/// The migrations of one generation of the read model.
pub const GENERATION: &[Migration] = migrations![
    "generation" 1 "0001_events",
    "generation" 2 "0002_event_identities",
    "generation" 3 "0003_playbacks_state",
    "generation" 4 "0004_projection_progress",
    "generation" 5 "0005_playbacks",
    "generation" 6 "0006_played_stretches",
    "generation" 7 "0007_events_by_ingest",
    "generation" 8 "0008_playbacks_state_compact",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_run_without_gaps_and_match_the_file_names() {
        for set in [CONTROL, GENERATION] {
            for (at, migration) in set.iter().enumerate() {
                assert_eq!(migration.number as usize, at + 1);
                let prefix = format!("{:04}_", migration.number);
                assert!(migration.name.starts_with(&prefix), "{}", migration.name);
            }
        }
    }

    #[test]
    fn every_statement_names_its_database() {
        for migration in [CONTROL, GENERATION].concat() {
            let statements = migration.statements("ess_g7");
            assert!(!statements.is_empty(), "{}", migration.name);
            for statement in statements {
                assert!(statement.contains("ess_g7."), "{statement}");
                assert!(!statement.contains('{'), "{statement}");
            }
        }
    }
}
