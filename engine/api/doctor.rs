//! What is wrong with a project: `GET /api/projects/{project}/doctor`.
//!
//! Always true: with `?offline=true` no vendor is asked; what the project's own checks tell is
//! looked through for personal values and secrets like the preview that it is.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::{Extension, Json};
use serde_json::json;
use url::Host;

use crate::compile::Trigger;
use crate::data::Value;
use crate::doctor::{self, Asked, Examination, Finding, Section, Topic, Trouble};
use crate::library::Shown;
use crate::mask::Hidden;

use super::body::{parameters, unknown_parameter};
use super::job::{Purpose, Seen};
use super::personal::of_hidden;
use super::{Person, Problem, Rooms};

/// `GET /api/projects/{project}/doctor`
pub(super) async fn examine(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let is_offline = is_offline(query.as_deref())?;
    let mut examination = doctor::examine(&rooms.intake, &project).await?;
    tell_turned_away(&rooms, &mut examination);
    tell_local_address(&rooms, &mut examination).await?;
    let own = match is_offline {
        true => doctor::left_alone(&rooms.intake, &project)?,
        false => own_checks(&rooms, &project, &by).await?,
    };
    examination.sections.push(own);
    Ok(Json(wire(&examination)))
}

fn is_offline(query: Option<&str>) -> Result<bool, Problem> {
    let mut is_offline = false;
    for (name, value) in parameters(query) {
        is_offline = match (&*name, &*value) {
            ("offline", "true") => true,
            ("offline", "false") => false,
            ("offline", _) => {
                return Err(Problem::bad_request("`offline` is `true` or `false`"));
            }
            _ => return Err(unknown_parameter(&name, &["offline"])),
        };
    }
    Ok(is_offline)
}

/// Tells of deliveries whose senders did not sign in.
fn tell_turned_away(rooms: &Rooms, examination: &mut Examination) {
    let mut sections = examination.sections.iter_mut();
    let Some(section) = sections.find(|section| section.topic == Topic::Recipes) else {
        return;
    };
    let shown = rooms.intake.shelf.all().into_iter();
    for shown in shown.filter(|shown| shown.name.project() == examination.project) {
        let Some(line) = rooms.turned_away.of(&shown.name) else {
            continue;
        };
        let deliveries = match line.count {
            1 => "a delivery".to_owned(),
            count => format!("{count} deliveries"),
        };
        let (title, name) = (&shown.title, &shown.name);
        let text = format!(
            "{deliveries} to \"{title}\" were turned away since the server started, the last on \
             {}: {}",
            line.last_at, line.last_why
        );
        let help = match line.is_ours {
            true => format!(
                "give what the connection lacks that `recipes show {name}` names (`recipes \
                 connections` says what), then have the sender send them again"
            ),
            false => format!(
                "enter at the sender what `recipes show {name}` says of the sign-in; if these were \
                 strangers, nothing is to be done"
            ),
        };
        section.add(Finding::warning(text, help));
    }
}

/// Tells of webhooks whose senders can only be on this machine, as far as the settings say.
async fn tell_local_address(rooms: &Rooms, examination: &mut Examination) -> Result<(), Problem> {
    let url = url::Url::parse(&rooms.public_url).ok();
    let is_local = url.is_none_or(|url| match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Domain(name)) => name == "localhost",
        None => true,
    });
    let states = rooms.intake.store.states().await?;
    let takes_deliveries = |shown: &Shown| {
        let is_started = states
            .get(&shown.name)
            .is_some_and(|state| state.is_started);
        let program = shown.program.as_ref().filter(|_| is_started);
        program.is_some_and(|program| matches!(program.root().trigger, Trigger::Webhook(_)))
    };
    let own = |shown: &Shown| shown.name.project() == examination.project;
    let all = rooms.intake.shelf.all();
    if !is_local
        || !all
            .iter()
            .any(|shown| own(shown) && takes_deliveries(shown))
    {
        return Ok(());
    }
    let mut sections = examination.sections.iter_mut();
    if let Some(section) = sections.find(|section| section.topic == Topic::Recipes) {
        let text = format!(
            "settings.yaml has no `public_url`: senders are told the address {}, which leads \
             nowhere but on this machine",
            rooms.public_url
        );
        let help = "write the address at which the outside reaches the server, through your proxy, as \
                    `public_url` into settings.yaml; if the sender is on this machine, nothing is to \
                    be done";
        section.add(Finding::note(text).with_help(help));
    }
    Ok(())
}

/// Runs the project's own checks, one at a time with previews: each may take as much of the
/// machine as a preview.
async fn own_checks(rooms: &Rooms, project: &str, by: &str) -> Result<Section, Problem> {
    let _alone = rooms.alone()?;
    let asked = doctor::ask(&rooms.intake, rooms.calls.clone(), project, by).await?;
    let mut hidden = Hidden::default();
    if let Asked::Ran(shown, _) = &asked {
        let scratch = Rooms {
            intake: shown.intake.clone(),
            ..rooms.clone()
        };
        for id in &shown.begun {
            Seen::of(&scratch, id, Purpose::Preview)
                .await?
                .gather(&mut hidden);
        }
    }
    let masker = of_hidden(&hidden);
    Ok(doctor::of_output(&asked, &|text| {
        masker.text(text).into_owned()
    }))
}

fn wire(examination: &Examination) -> Value {
    let sections: Vec<Value> = examination.sections.iter().map(section_wire).collect();
    json!({
        "project": examination.project,
        "title": examination.title,
        "version": examination.version,
        "is_well": examination.is_well(),
        "sections": sections,
    })
}

fn section_wire(section: &Section) -> Value {
    let findings: Vec<Value> = section.findings.iter().map(finding_wire).collect();
    let mut wire = json!({
        "topic": section.topic.word(),
        "title": section.topic.title(),
        "findings": findings,
    });
    if let Some(remark) = &section.remark {
        wire["remark"] = remark.as_str().into();
    }
    wire
}

fn finding_wire(finding: &Finding) -> Value {
    let mut wire = json!({ "level": finding.level.word(), "text": finding.text });
    if let Some(help) = &finding.help {
        wire["help"] = help.as_str().into();
    }
    wire
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unknown(message) => Self::not_found(message),
            Trouble::Store(error) => error.into(),
        }
    }
}
