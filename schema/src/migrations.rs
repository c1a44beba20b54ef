//! The numbered SQL that creates the databases. Never edit a statement of a released file: the SHA-256 of its statements is
//! stored in `schema_migrations`. A change is a new file. This module does not apply migrations.

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
    /// SHA-256 of the text without lines of comments, in hex.
    pub fn checksum(&self) -> String {
        let mut hash = Sha256::new();
        for line in self.sql.lines().filter(|line| !line.starts_with("--")) {
            hash.update(line);
            hash.update("\n");
        }
        hex::encode(hash.finalize())
    }

    /// Whether `recorded` is the checksum of these statements.
    pub fn has_checksum(&self, recorded: &str) -> bool {
        recorded == self.checksum() || RECORDED_BY_0_1_0.contains(&(self.name, recorded))
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

/// Checksums that 0.1.0 recorded for the same statements: they included the comments of that version.
const RECORDED_BY_0_1_0: [(&str, &str); 9] = [
    (
        "0001_generations",
        "94dc9ce06e1015f3b7e1364ef596bcefed15543a9344494267b42023cc0a5a19",
    ),
    (
        "0001_events",
        "d2d99cf27c0c64641f51cc73044fc245cb8da945257a0e6dd734170c07aeb4d0",
    ),
    (
        "0002_event_identities",
        "078103abd2548a058f13e70cec248c625fc2bf6fa9a276e77d19a7e7cd00aab9",
    ),
    (
        "0003_playbacks_state",
        "3a8c15f8d2b00813dbfd15ccbb6b063fb4c1dd15f16dbe9b75b11af8b8f3fab9",
    ),
    (
        "0004_projection_progress",
        "7604cbcf9ecac209b8b60590264e1e89040731ec8ab6a2971f3457dc5ad03574",
    ),
    (
        "0005_playbacks",
        "b044f79c9b92efb2cf03051dcc37ef2f6773387d74abbd78f1326b204bedc1c5",
    ),
    (
        "0006_played_stretches",
        "639816c28777391f3d8489c605d9c7ff98ca4af28274a3bb9db8e9c7439a7ed6",
    ),
    (
        "0007_events_by_ingest",
        "428072430c0fc8d71539ddee9e03f151db31ff0e875a71da65e6dfeb90c1632f",
    ),
    (
        "0008_playbacks_state_compact",
        "2f58791ad8fb2f77e4cc57df2cde807be46d268c374b45f71940affd0389add9",
    ),
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
    fn a_comment_does_not_change_the_checksum_and_a_statement_does() {
        let checksum = |sql| Migration { sql, ..CONTROL[0] }.checksum();
        assert_eq!(
            checksum("-- a\nSELECT 1;\n"),
            checksum("-- b\n-- c\nSELECT 1;\n")
        );
        assert_ne!(checksum("SELECT 1;\n"), checksum("SELECT 2;\n"));
        assert!(CONTROL[0].has_checksum(&CONTROL[0].checksum()));
        assert!(!CONTROL[0].has_checksum(&GENERATION[0].checksum()));
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
