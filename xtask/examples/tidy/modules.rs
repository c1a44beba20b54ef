//! The modules of one crate: what each defines, what it imports and what it names, read with syn. Code under
//! `#[cfg(test)]` is left out. Never looks into other crates.

mod reader;

use std::collections::{BTreeMap, BTreeSet};

use crate::files::SourceFile;

/// A module's path below the crate root, outermost first; empty for the root itself.
pub(crate) type ModulePath = Vec<String>;

/// One module, in a file of its own or inline in another's.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Path of its file from the repository's root.
    pub(crate) file: String,
    /// Every struct, enum, union, trait and type alias, with its line.
    pub(crate) types: Vec<(String, usize)>,
    /// Paths that it names, with their lines.
    pub(crate) references: Vec<(Vec<String>, usize)>,
    /// Names of the items that it defines.
    defined: BTreeSet<String>,
    /// Names that its `use` declarations bring in, with what they stand for.
    imports: BTreeMap<String, Vec<String>>,
}

/// The modules of one crate.
#[derive(Debug)]
pub(crate) struct Crate {
    pub(crate) modules: BTreeMap<ModulePath, Module>,
}

/// Every crate of the repository, by its root file: `src/lib.rs`, or `src/main.rs` where there is no library.
///
/// # Errors
/// The path and the position of what syn cannot parse.
pub(crate) fn crates(files: &[SourceFile]) -> Result<Vec<Crate>, String> {
    let by_path: BTreeMap<&str, &SourceFile> = files
        .iter()
        .map(|file| (file.path.as_str(), file))
        .collect();
    let roots = by_path.keys().filter(|path| {
        path.ends_with("/src/lib.rs")
            || path.strip_suffix("main.rs").is_some_and(|src| {
                src.ends_with("/src/") && !by_path.contains_key(format!("{src}lib.rs").as_str())
            })
    });
    roots.map(|root| Crate::read(root, &by_path)).collect()
}

impl Crate {
    fn read(root: &str, files: &BTreeMap<&str, &SourceFile>) -> Result<Self, String> {
        let mut modules = BTreeMap::new();
        reader::read(root, files, &mut modules)?;
        Ok(Self { modules })
    }

    /// The module that defines what `path` names in `from`; none for a module, a local name or another crate's item.
    pub(crate) fn definer(&self, from: &[String], path: &[String]) -> Option<ModulePath> {
        // Imports that lead in a circle, as `use self::a as b` twice could, end here.
        self.resolve(from, path, 16)
    }

    fn resolve(&self, from: &[String], path: &[String], steps: u8) -> Option<ModulePath> {
        let steps = steps.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.descend(&[], rest, steps),
            "self" => self.descend(from, rest, steps),
            "super" => {
                let (_, parent) = from.split_last()?;
                if rest.first().is_some_and(|next| next == "super") {
                    return self.resolve(parent, rest, steps);
                }
                self.descend(parent, rest, steps)
            }
            _ if self.is_module(from, first) => self.descend(from, path, steps),
            _ => self.through_import(from, first, rest, steps),
        }
    }

    fn descend(&self, at: &[String], path: &[String], steps: u8) -> Option<ModulePath> {
        let (first, rest) = path.split_first()?;
        if self.is_module(at, first) {
            return self.descend(&child(at, first), rest, steps);
        }
        if self.modules.get(at)?.defined.contains(first) {
            return Some(at.to_vec());
        }
        self.through_import(at, first, rest, steps)
    }

    fn through_import(
        &self,
        at: &[String],
        name: &str,
        rest: &[String],
        steps: u8,
    ) -> Option<ModulePath> {
        let import = self.modules.get(at)?.imports.get(name)?;
        if import.first().is_some_and(|first| first == name) {
            return None;
        }
        self.resolve(at, &[import, rest].concat(), steps)
    }

    fn is_module(&self, at: &[String], name: &str) -> bool {
        self.modules.contains_key(&child(at, name))
    }
}

fn child(parent: &[String], name: &str) -> ModulePath {
    parent.iter().cloned().chain([name.to_owned()]).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A crate of these files under `a/src/`.
    pub(crate) fn krate(files: &[(&str, &str)]) -> Crate {
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| SourceFile {
                path: format!("a/src/{path}"),
                text: (*text).to_owned(),
            })
            .collect();
        crates(&files).unwrap().remove(0)
    }

    fn path(text: &str) -> Vec<String> {
        text.split("::").map(str::to_owned).collect()
    }

    #[test]
    fn a_path_leads_to_the_module_that_defines_the_item() {
        let krate = krate(&[
            ("lib.rs", "mod question; mod sql; pub use question::Report;"),
            (
                "question.rs",
                "mod metric; pub(crate) use self::metric::Metric; pub struct Report;",
            ),
            ("question/metric.rs", "pub enum Metric {}"),
            (
                "sql.rs",
                "use crate::question; use std::fmt::Debug; fn to_sql() {}",
            ),
        ]);
        let definer = |from: &str, name: &str| krate.definer(&path(from), &path(name));
        assert_eq!(definer("sql", "crate::Report"), Some(path("question")));
        assert_eq!(
            definer("sql", "question::Metric"),
            Some(path("question::metric"))
        );
        assert_eq!(
            definer("question::metric", "super::super::sql::to_sql"),
            Some(path("sql"))
        );
        assert_eq!(definer("sql", "Debug"), None);
        assert_eq!(definer("sql", "crate::question"), None);
    }

    #[test]
    fn code_of_tests_is_left_out() {
        let krate = krate(&[(
            "lib.rs",
            "struct A; #[cfg(test)] mod tests { struct B; } #[cfg(test)] mod more; #[cfg(test)] struct C;",
        )]);
        assert_eq!(krate.modules.len(), 1);
        assert_eq!(krate.modules[&Vec::new()].types, [("A".to_owned(), 1)]);
    }
}
