//! Request bodies with one or several events, in any shape that a client may send.

use ess_load::facts;
use ess_schema::Event;
use rand::prelude::*;

/// The shape of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A command.
    Command,
    /// A CloudEvent in JSON.
    CloudEvent,
    /// The predecessor's untyped event.
    Untyped,
}

/// A request body.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) text: String,
    /// The form of each item, in order.
    pub(crate) forms: Vec<Form>,
    /// Whether the body is one item, not a list.
    pub(crate) is_single: bool,
}

impl Body {
    /// A body with all of these events, in a random shape that can represent them.
    pub(crate) fn random(events: &[&Event], random: &mut impl Rng) -> Self {
        let allowed: &[Form] = [
            &[Form::Command][..],
            &[Form::CloudEvent],
            &[Form::Command, Form::CloudEvent, Form::Untyped],
        ]
        .choose(random)
        .unwrap();
        let items = events.iter().map(|event| choose(event, allowed, random));
        let (forms, items): (Vec<Form>, Vec<String>) = items.unzip();
        let all = |form| forms.iter().all(|found| *found == form);
        let path = if all(Form::Command) && random.random() {
            "/commands"
        } else {
            "/events"
        };
        let is_single = items.len() == 1;
        let (content_type, text) = if is_single && all(Form::CloudEvent) {
            ("application/cloudevents+json", items.concat())
        } else if is_single {
            ("application/json", items.concat())
        } else if random.random() {
            ("application/x-ndjson", items.join("\n"))
        } else if all(Form::CloudEvent) {
            ("application/cloudevents-batch+json", list(&items))
        } else {
            ("application/json", list(&items))
        };
        Self {
            path,
            content_type,
            text,
            forms,
            is_single,
        }
    }
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}

/// Writes an event in one of the allowed forms that can represent it, chosen at random.
fn choose(event: &Event, allowed: &[Form], random: &mut impl Rng) -> (Form, String) {
    let possible = allowed
        .iter()
        .filter_map(|form| Some((*form, form.write(event)?)));
    possible.choose(random).unwrap()
}

impl Form {
    /// Writes an event in this form, if the form can represent it.
    fn write(self, event: &Event) -> Option<String> {
        match self {
            Self::Command => Some(facts::to_command(event)),
            Self::CloudEvent => Some(facts::to_cloudevent(event)),
            Self::Untyped => facts::to_untyped(event),
        }
    }
}
