//! GET /projection: which generation answers, and how far it has been folded. Told from the last look, which is at most about a
//! second old: asking often costs the read model nothing.

use std::sync::Arc;

use ess_service::{
    openapi,
    problem::{Problem, ProblemKind},
};
use poem::{
    IntoResponse, Request, Response,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiResponse, OpenApi,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, Registry},
};

use crate::{
    http::{answer::described_header, clock::now, parameters::Refused, reader::Reader, wire},
    question::Format,
    read::Layer,
};

/// The state of the projection.
pub(crate) struct ProjectionApi(pub(crate) Arc<Reader>);

/// The answer: true at one moment, so never kept.
pub(crate) struct ProjectionAnswer(Vec<u8>);

impl IntoResponse for ProjectionAnswer {
    fn into_response(self) -> Response {
        Response::builder()
            .status(StatusCode::OK)
            .content_type(Format::Json.media_type())
            .header(header::CACHE_CONTROL, "no-store")
            .body(self.0)
    }
}

impl ApiResponse for ProjectionAnswer {
    fn meta() -> MetaResponses {
        let ok = MetaResponse {
            description: "The projection as it was seen last, at most about a second ago",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType {
                content_type: Format::Json.media_type(),
                schema: wire::reference::<wire::Projection>(),
            }],
            headers: vec![described_header(
                "Cache-Control",
                "That it is true at one moment, and never kept",
                MetaSchema {
                    example: Some("no-store".into()),
                    ..MetaSchema::new("string")
                },
            )],
        };
        MetaResponses {
            responses: vec![
                ok,
                openapi::problem(422, "This path has no parameters"),
                openapi::problem(
                    503,
                    "No generation has been seen yet; /health/ready tells why",
                ),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Projection>(registry);
    }
}

#[OpenApi(tag = "super::Tag::Projection")]
impl ProjectionApi {
    /// How far the log has been folded
    ///
    /// Which generation of the read model answers, and for each partition of the log what it holds of it.
    #[oai(path = "/projection", method = "get", operation_id = "getProjection")]
    async fn get(&self, request: &Request) -> Result<ProjectionAnswer, Problem> {
        Refused::by_name(request, &[]).none(Some(()))?;
        let view = self.0.watch.reached(&[]).await?;
        let conflicts = self.0.conflicts.of(view.generation);
        let rolled_up = self.0.watch.reached_in(Layer::Playbacks, &[]).await.ok();
        let projection = wire::Projection::new(&view, rolled_up.as_deref(), conflicts, now()?);
        let body = serde_json::to_vec(&projection).map_err(|error| {
            tracing::error!("the projection cannot be told: {error}");
            Problem::new(ProblemKind::Internal, "the projection cannot be told")
        })?;
        Ok(ProjectionAnswer(body))
    }
}
