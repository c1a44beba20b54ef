//! Types of one name in a crate.

use std::collections::BTreeMap;

use crate::Finding;
use crate::modules::Crate;

pub(crate) fn check(krate: &Crate) -> Vec<Finding> {
    let mut places: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
    for module in krate.modules.values() {
        for (name, line) in &module.types {
            places.entry(name).or_default().push((&module.file, *line));
        }
    }
    let repeated = places.iter().filter(|(_, places)| places.len() > 1);
    repeated
        .flat_map(|(name, places)| {
            let (first, line) = places[0];
            places[1..].iter().map(move |(file, at)| {
                let advice = format!(
                    "a second type named {name} in this crate (the first: {first}:{line}): name each for what it is"
                );
                Finding::at(file, *at, advice)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::tests::krate;

    #[test]
    fn a_name_that_two_modules_define_is_named_with_both_places() {
        let krate = krate(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub struct Rows; pub enum Other {}"),
            ("b.rs", "\npub trait Rows {}"),
        ]);
        let findings = check(&krate);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place, "a/src/b.rs:2");
        assert!(findings[0].advice.contains("a/src/a.rs:1"));
    }
}
