//! GET /projection: which generation answers, and how far the log is projected into it. The answer comes from the watermark,
//! which is at most about a second old: frequent requests cost the read model nothing.

use std::sync::Arc;

use ess_service::{openapi, problem::Problem};
use poem::{Request, Response, http::header};
use poem_openapi::registry::{MetaOperationParam, MetaResponse, MetaResponses, Registry};

use crate::{
    http::{
        arguments::GivenParameters,
        bodies,
        clock::now,
        document,
        operation::{Entry, Operation, Tag},
        parameter_errors::ParameterErrors,
        reader::Reader,
        wire,
    },
    question::Format,
    read::Layer,
};

/// The operation.
pub(crate) struct GetProjection;

impl Operation for GetProjection {
    const ENTRY: Entry = Entry {
        path: "/projection",
        id: "getProjection",
        tag: Tag::Projection,
        summary: "Get the progress of the projection",
        description: "The active generation of the read model and, for each partition of the log, how far it is projected.",
    };

    fn parameters() -> Vec<MetaOperationParam> {
        Vec::new()
    }

    fn responses() -> MetaResponses {
        let cache_control = document::header(
            "Cache-Control",
            "The answer is true at one moment and never cached",
            document::text("no-store"),
        );
        let ok = MetaResponse {
            description: "The last known progress, at most about a second old",
            status: Some(200),
            status_range: None,
            content: document::one::<wire::Projection>(),
            headers: vec![cache_control],
        };
        MetaResponses {
            responses: vec![
                ok,
                openapi::problem(422, "This path has no parameters"),
                openapi::problem(503, "No generation is known yet; /health/ready says why"),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Projection>(registry);
        document::register_problem(registry);
    }

    async fn respond(reader: &Arc<Reader>, request: &Request) -> Result<Response, Problem> {
        let mut errors = ParameterErrors::default();
        GivenParameters::new(request, &[], &mut errors);
        errors.into_result(Some(()))?;
        let events = reader.watch.reached(&[]).await?;
        let conflicts = reader.conflicts.of(events.generation);
        let playbacks = reader.watch.reached_in(Layer::Playbacks, &[]).await.ok();
        let projection = wire::Projection::new(&events, playbacks.as_deref(), conflicts, now()?);
        Ok(Response::builder()
            .content_type(Format::Json.media_type())
            .header(header::CACHE_CONTROL, "no-store")
            .body(bodies::json(&projection)?))
    }
}
