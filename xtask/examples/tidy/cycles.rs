//! Cycles between the modules of a crate. At each level of the module tree, the children of one module are compared: each
//! stands for its whole subtree, and a module that names an item which a sibling defines depends on that sibling. A
//! child may use its parent's items; a parent may use and re-export its children's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::Finding;
use crate::modules::{Crate, ModulePath};

/// Dependencies between siblings: from, to, and one line that shows each.
type Graph = BTreeMap<ModulePath, BTreeMap<ModulePath, Evidence>>;

struct Evidence {
    file: String,
    line: usize,
    name: String,
}

pub(crate) fn check(krate: &Crate) -> Vec<Finding> {
    let graph = graph(krate);
    let mut in_cycle: BTreeSet<&ModulePath> = BTreeSet::new();
    let mut findings = Vec::new();
    for start in graph.keys() {
        if in_cycle.contains(start) {
            continue;
        }
        let Some(cycle) = shortest_cycle(&graph, start) else {
            continue;
        };
        findings.extend(describe(&graph, &cycle));
        in_cycle.extend(cycle);
    }
    findings
}

fn graph(krate: &Crate) -> Graph {
    let mut graph = Graph::new();
    for (from, module) in &krate.modules {
        for (path, line) in &module.references {
            let Some(to) = krate.definer(from, path) else {
                continue;
            };
            let Some((from, to)) = siblings(from, &to) else {
                continue;
            };
            let name = path.last().cloned().unwrap_or_default();
            graph
                .entry(from)
                .or_default()
                .entry(to)
                .or_insert(Evidence {
                    file: module.file.clone(),
                    line: *line,
                    name,
                });
        }
    }
    graph
}

/// The children of the nearest common ancestor that these modules belong to; none where one contains the other.
fn siblings(from: &[String], to: &[String]) -> Option<(ModulePath, ModulePath)> {
    let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let at_level = |path: &[String]| path.get(..=common).map(<[String]>::to_vec);
    Some((at_level(from)?, at_level(to)?))
}

/// Breadth first, from a module back to itself.
fn shortest_cycle<'g>(graph: &'g Graph, start: &'g ModulePath) -> Option<Vec<&'g ModulePath>> {
    let mut queue = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(path) = queue.pop_front() {
        for next in path
            .last()
            .and_then(|last| graph.get(*last))
            .into_iter()
            .flat_map(BTreeMap::keys)
        {
            if next == start {
                return Some(path);
            }
            if seen.insert(next) {
                queue.push_back(path.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}

fn describe(graph: &Graph, cycle: &[&ModulePath]) -> Option<Finding> {
    let next = cycle.iter().cycle().skip(1);
    let edges: Vec<_> = cycle
        .iter()
        .zip(next)
        .filter_map(|(from, to)| Some((from, to, graph.get(*from)?.get(*to)?)))
        .collect();
    let uses: Vec<_> = edges
        .iter()
        .map(|(from, to, Evidence { file, line, name })| {
            format!(
                "{} uses {} of {} ({file}:{line})",
                from.join("::"),
                name,
                to.join("::")
            )
        })
        .collect();
    let (.., first) = edges.first()?;
    let advice = format!(
        "modules form a cycle: {}; move what both need to one of them, or below both",
        uses.join("; ")
    );
    Some(Finding::at(&first.file, first.line, advice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::tests::krate;

    fn places(files: &[(&str, &str)]) -> Vec<String> {
        let findings = check(&krate(files)).into_iter();
        findings.map(|finding| finding.place).collect()
    }

    #[test]
    fn siblings_that_use_each_other_are_a_cycle_however_deep_the_items_are() {
        let mutual = [
            ("lib.rs", "mod api; mod cache;"),
            (
                "api.rs",
                "mod lag;\nuse crate::cache::Cache;\npub struct Summary;",
            ),
            ("api/lag.rs", "pub struct LagQuestion;"),
            (
                "cache.rs",
                "pub struct Cache; fn key(_: &crate::api::lag::LagQuestion) {}",
            ),
        ];
        assert_eq!(places(&mutual), ["a/src/api.rs:2"]);
    }

    #[test]
    fn a_cycle_of_three_is_found_once() {
        let three = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "pub struct A; use crate::b::B;"),
            ("b.rs", "pub struct B; use crate::c::C;"),
            (
                "c.rs",
                "pub struct C; fn f() { let _ = vec![crate::a::A]; }",
            ),
        ];
        assert_eq!(places(&three), ["a/src/a.rs:1"]);
    }

    #[test]
    fn parent_and_child_may_use_each_other_and_tests_anything() {
        let family = [
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "mod child; pub use child::Child; pub struct A; fn f(_: Child) {}",
            ),
            ("a/child.rs", "pub struct Child; fn f(_: super::A) {}"),
            (
                "b.rs",
                "use crate::a::Child; pub struct B;\n#[cfg(test)]\nmod tests {}",
            ),
        ];
        assert_eq!(places(&family), Vec::<String>::new());
    }
}
