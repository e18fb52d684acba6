//! What a person can ask of the workbench. Must not know keys: see `keymap`.

/// The keymap, the footer, the help and the palette all speak of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Show(Screen),
    NextPane,
    PreviousPane,
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    StepUp,
    StepDown,
    LeapUp,
    LeapDown,
    Edit,
    HopEarlier,
    HopLater,
    Undo,
    Reset,
    Pause,
    Baseline,
    Freeze,
    Zoom,
    /// Strikes a simulated route with a fault.
    Break,
    /// Back to the chosen epoch's settings.
    GoBack,
    /// Starts the comparison.
    Begin,
    /// Another arm against the first.
    NextArm,
    PreviousArm,
    /// Between the profile's arms and what was tuned.
    Subject,
    /// The tuned profile, as a file.
    Write,
    /// The report and the screen, as files.
    Export,
    Palette,
    Help,
    Close,
    Suspend,
    Quit,
    /// Ctrl-C: without a question.
    QuitNow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    Live,
    Compare,
    Cost,
    Log,
    Epochs,
}

impl Screen {
    pub const ALL: [Self; 5] = [Self::Live, Self::Compare, Self::Cost, Self::Log, Self::Epochs];

    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Compare => "Compare",
            Self::Cost => "Cost",
            Self::Log => "Log",
            Self::Epochs => "Epochs",
        }
    }

    /// Why it cannot be shown; `None` for those that can.
    pub fn unavailable(self) -> Option<&'static str> {
        match self {
            Self::Cost => Some("Cost is not in this version; the Cost panel on Live has today's figures"),
            Self::Live | Self::Compare | Self::Log | Self::Epochs => None,
        }
    }
}

/// A panel of the Live screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    Settings,
    Latency,
    Percentiles,
    Heatmap,
    ServedBy,
    Traffic,
    Cost,
    Events,
}

impl Pane {
    pub const ALL: [Self; 8] = [
        Self::Settings,
        Self::Latency,
        Self::Percentiles,
        Self::Heatmap,
        Self::ServedBy,
        Self::Traffic,
        Self::Cost,
        Self::Events,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "Settings",
            Self::Latency => "Latency",
            Self::Percentiles => "Percentiles",
            Self::Heatmap => "Heatmap",
            Self::ServedBy => "Served by",
            Self::Traffic => "Traffic",
            Self::Cost => "Cost",
            Self::Events => "Events",
        }
    }

    /// The one `by` places on, round the list.
    pub fn beside(self, by: isize) -> Self {
        beside(&Self::ALL, self, by)
    }
}

/// A panel of the Compare screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Table,
    Latency,
    Curves,
    Phases,
}

impl View {
    pub const ALL: [Self; 4] = [Self::Table, Self::Latency, Self::Curves, Self::Phases];

    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "Differences",
            Self::Latency => "Latency",
            Self::Curves => "Cumulative",
            Self::Phases => "Where the time goes",
        }
    }

    /// The one `by` places on, round the list.
    pub fn beside(self, by: isize) -> Self {
        beside(&Self::ALL, self, by)
    }
}

fn beside<T: Copy + PartialEq>(all: &[T], one: T, by: isize) -> T {
    let at = all.iter().position(|other| *other == one).unwrap_or(0) as isize;
    all[(at + by).rem_euclid(all.len() as isize) as usize]
}
