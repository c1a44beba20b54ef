//! What a scenario's fields may be, beyond what their types say. Tells the first that cannot be so, by name. Pure.

use reqwest::Url;

use super::{Body, Model, Scenario};

/// The bounds of the command-api (DESIGN §5) and of memory.
const MOST_ITEMS: usize = 10_000;
const MOST_USERS: f64 = 20_000.0;
const MOST_RATE: f64 = 1_000_000.0;
/// Ids are at most 128 characters, and a test's id is part of every event's.
const LONGEST_TEST_ID: usize = 64;

/// A field, and what is wrong with it.
type Fault = (String, String);

impl Scenario {
    /// The first field that cannot be as it is.
    pub(super) fn first_fault(&self) -> Option<Fault> {
        self.fault_of_stages()
            .or_else(|| self.fault_of_players())
            .or_else(|| self.fault_of_numbers())
            .or_else(|| self.fault_of_test_id())
            .or_else(|| self.fault_of_reads())
            .or_else(|| self.fault_of_chaos())
            .or_else(|| self.fault_of_targets())
    }

    fn fault_of_stages(&self) -> Option<Fault> {
        let (wanted, most) = match self.model {
            Model::Players if self.stages.is_empty() => return None,
            Model::Players => return fault("stages", "are not for the model \"players\""),
            _ if self.stages.is_empty() => {
                return fault("stages", "are missing: give at least one");
            }
            Model::Closed => ("users", MOST_USERS),
            Model::Open => ("rate", MOST_RATE),
        };
        for (number, stage) in self.stages.iter().enumerate() {
            let (level, other) = match self.model {
                Model::Closed => (stage.users, ("rate", stage.rate)),
                _ => (stage.rate, ("users", stage.users)),
            };
            if other.1.is_some() {
                let field = format!("stages.{number}.{}", other.0);
                return fault(
                    field,
                    &format!("has no meaning in this model: give {wanted}"),
                );
            }
            let is_possible = level.is_some_and(|level| (0.0..=most).contains(&level));
            if !is_possible {
                let field = format!("stages.{number}.{wanted}");
                return fault(field, &format!("must be a number from 0 to {most}"));
            }
        }
        let start = self.start.unwrap_or_default();
        if !(0.0..=most).contains(&start) {
            return fault("start", &format!("must be a number from 0 to {most}"));
        }
        let levels = self.levels();
        if levels.lasts().is_zero() || levels.most() <= 0.0 {
            return fault("stages", "send nothing: give a time and a level above 0");
        }
        None
    }

    fn fault_of_players(&self) -> Option<Fault> {
        let speed = self.speed.unwrap_or(1.0);
        match self.model {
            Model::Players if self.body == Body::Untyped => fault(
                "body",
                "\"untyped\" tells no player's facts: give command, cloudevent or mixed",
            ),
            Model::Players if !(0.1..=100_000.0).contains(&speed) => {
                fault("speed", "must be a number from 0.1 to 100000")
            }
            Model::Open | Model::Closed if self.speed.is_some() => {
                fault("speed", "is for the model \"players\" only")
            }
            _ => None,
        }
    }

    fn fault_of_numbers(&self) -> Option<Fault> {
        if !(1..=MOST_ITEMS).contains(&self.batch) {
            return fault(
                "batch",
                &format!("must be a whole number from 1 to {MOST_ITEMS}"),
            );
        }
        if !(1..=MOST_USERS as usize).contains(&self.connections) {
            return fault(
                "connections",
                &format!("must be a whole number from 1 to {MOST_USERS}"),
            );
        }
        if self.playbacks == 0 {
            return fault("playbacks", "must be at least 1");
        }
        None
    }

    fn fault_of_test_id(&self) -> Option<Fault> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let id = self.test_id.as_deref()?;
        let is_id = (1..=LONGEST_TEST_ID).contains(&id.len()) && id.chars().all(is_allowed);
        let allowed = format!("must be 1 to {LONGEST_TEST_ID} of A-Z a-z 0-9 . _ -");
        (!is_id).then(|| ("test_id".to_owned(), allowed))
    }

    fn fault_of_reads(&self) -> Option<Fault> {
        let reads = self.reads.as_ref()?;
        if !(0.001..=MOST_RATE).contains(&reads.rate) {
            return fault("reads.rate", "must be a number above 0");
        }
        if reads.paths.is_empty() || reads.paths.iter().any(|path| !path.starts_with('/')) {
            return fault(
                "reads.paths",
                "must be paths of the query-api, each beginning with /",
            );
        }
        None
    }

    fn fault_of_chaos(&self) -> Option<Fault> {
        let chaos = self.chaos.as_ref()?;
        if chaos.victims.is_empty() {
            return fault("chaos.victims", "must name at least one");
        }
        if chaos.every.0.is_zero() {
            return fault("chaos.every", "must be above 0s");
        }
        None
    }

    fn fault_of_targets(&self) -> Option<Fault> {
        let targets = &self.targets;
        let urls = [
            ("command_api", &targets.command_api),
            ("query_api", &targets.query_api),
            ("projector", &targets.projector),
            ("clickhouse", &targets.clickhouse),
        ];
        let wrong = urls.into_iter().find(|(_, text)| {
            let url: Option<Url> = text.parse().ok();
            !url.is_some_and(|url| url.scheme() == "http" && url.path() == "/" && url.has_host())
        });
        if let Some((name, text)) = wrong {
            let field = format!("targets.{name}");
            return fault(field, &format!("is {text:?}: give http://HOST:PORT"));
        }
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_name = !targets.database.is_empty() && targets.database.chars().all(is_allowed);
        (!is_name).then(|| {
            (
                "targets.database".to_owned(),
                "must be letters, digits and _".to_owned(),
            )
        })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every caller returns it as it is")]
fn fault(field: impl Into<String>, reason: &str) -> Option<Fault> {
    Some((field.into(), reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::scenario::Scenario;

    fn refused(name: &str, overrides: &[&str]) -> String {
        let overrides: Vec<_> = overrides.iter().map(|&text| text.to_owned()).collect();
        Scenario::open(name, &overrides).unwrap_err().to_string()
    }

    #[test]
    fn a_field_that_is_wrong_or_unknown_is_named() {
        for (name, given, told) in [
            ("steady", "ratee=5", "ratee"),
            ("steady", "stages.0.rate=-1", "stages.0.rate must be"),
            (
                "steady",
                "stages.0.users=5",
                "stages.0.users has no meaning",
            ),
            ("steady", "stages.0.for=soon", "is no time"),
            ("steady", "batch=0", "batch must be"),
            ("steady", "body=xml", "body"),
            ("steady", "speed=2", "speed is for"),
            ("steady", "test_id=a b", "test_id must be"),
            (
                "steady",
                "targets.query_api=https://x",
                "targets.query_api is",
            ),
            ("steady", "targets.qery_api=x", "qery_api"),
            ("players", "body=untyped", "body \"untyped\""),
            ("players", "speed=0", "speed must be"),
            ("mixed", "reads.rate=0", "reads.rate must be"),
            ("mixed", "reads.paths=[\"stats\"]", "reads.paths must be"),
            ("steady", "thresholds=[\"p95 < 1 banana\"]", "banana"),
            ("steady", "chaos.victims=[]", "chaos.victims must name"),
        ] {
            let reason = refused(name, &[given]);
            assert!(reason.contains(told), "{given}: {reason}");
        }
    }

    #[test]
    fn a_scenario_that_is_not_there_is_told_with_those_that_are() {
        let reason = refused("stedy", &[]);
        assert!(reason.contains("predecessor-small"), "{reason}");
    }
}
