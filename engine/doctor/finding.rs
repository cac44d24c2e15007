//! Findings, and the sections that they stand in.
//!
//! Always true: a section says something, if only that all is well; a long one is cut, and says so.

/// How many findings a section lists.
const FINDINGS_MAX: usize = 100;

/// What was found about a project.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The project's name.
    pub project: String,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// What was found, by subject.
    pub sections: Vec<Section>,
}

/// What was found about one subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The subject.
    pub topic: Topic,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
    /// What all of them have in common, for the reader.
    pub remark: Option<String>,
}

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The files of the project and of what it uses.
    Files,
    /// The accounts that it uses.
    Connections,
    /// The lookup tables that it uses.
    Tables,
    /// The rows that set it up.
    Settings,
    /// What those rows make it do.
    Meaning,
    /// Which recipes are started.
    Recipes,
    /// What became of jobs lately.
    Ran,
    /// Vendor calls whose form is assumed.
    Assumed,
    /// The project's own checks.
    Own,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What it is.
    pub text: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is wrong: something will not work.
    Error,
    /// It may go wrong.
    Warning,
    /// It is so.
    Note,
}

impl Examination {
    /// Whether nothing is wrong.
    pub fn is_well(&self) -> bool {
        self.count(Level::Error) == 0
    }

    /// How many findings are of this level.
    pub fn count(&self, level: Level) -> usize {
        let findings = self.sections.iter().flat_map(|section| &section.findings);
        findings.filter(|finding| finding.level == level).count()
    }
}

impl Section {
    /// A section of these findings; if there are none, it says this instead.
    pub fn of(topic: Topic, mut findings: Vec<Finding>, else_say: &str) -> Self {
        if findings.is_empty() {
            findings.push(Finding::note(else_say));
        }
        findings.sort_by_key(|finding| finding.level);
        if findings.len() > FINDINGS_MAX {
            let left = findings.split_off(FINDINGS_MAX);
            let worst = left.iter().map(|finding| finding.level).min();
            findings.push(Finding {
                level: worst.unwrap_or(Level::Note),
                text: format!("and {} more like these", left.len()),
                help: Some("mend what is listed, then look again".to_owned()),
            });
        }
        Self {
            topic,
            findings,
            remark: None,
        }
    }

    /// The section with a further finding.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
        self.findings.sort_by_key(|finding| finding.level);
    }
}

impl Topic {
    /// The topic as a stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Connections => "connections",
            Self::Tables => "tables",
            Self::Settings => "settings",
            Self::Meaning => "meaning",
            Self::Recipes => "recipes",
            Self::Ran => "jobs",
            Self::Assumed => "assumed_calls",
            Self::Own => "own_checks",
        }
    }

    /// The heading, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Files => "Files",
            Self::Connections => "Connections",
            Self::Tables => "Lookup tables",
            Self::Settings => "Settings",
            Self::Meaning => "What the present settings will do",
            Self::Recipes => "Recipes to start",
            Self::Ran => "Jobs lately",
            Self::Assumed => "Vendor calls whose form is assumed",
            Self::Own => "Checks of this project's own",
        }
    }
}

impl Level {
    /// The level as a stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    /// The level of a word.
    pub fn of(word: &str) -> Option<Self> {
        let all = [Self::Error, Self::Warning, Self::Note];
        all.into_iter().find(|level| level.word() == word)
    }
}

impl Finding {
    /// Something that is wrong, and how to mend it.
    pub fn error(text: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            text: text.into(),
            help: Some(help.into()),
        }
    }

    /// Something that may go wrong, and what to do about it.
    pub fn warning(text: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            ..Self::error(text, help)
        }
    }

    /// Something that is so.
    pub fn note(text: impl Into<String>) -> Self {
        Self {
            level: Level::Note,
            text: text.into(),
            help: None,
        }
    }

    /// The same with something that can be done.
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}
