package sarif

// The objects of SARIF 2.1.0 that a log of ours has, with their members in the
// specification's words.

type log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

type run struct {
	Tool         tool         `json:"tool"`
	Invocations  []invocation `json:"invocations"`
	Automation   automation   `json:"automationDetails"`
	Language     string       `json:"language"`
	ColumnKind   string       `json:"columnKind"`
	Taxonomies   []component  `json:"taxonomies"`
	Translations []component  `json:"translations"`
	Results      []result     `json:"results"`
}

type tool struct {
	Driver component `json:"driver"`
}

type component struct {
	Name                string               `json:"name"`
	Organization        string               `json:"organization,omitempty"`
	Version             string               `json:"version,omitempty"`
	Language            string               `json:"language,omitempty"`
	InformationURI      string               `json:"informationUri,omitempty"`
	ShortDescription    *multiformat         `json:"shortDescription,omitempty"`
	FullDescription     *multiformat         `json:"fullDescription,omitempty"`
	TranslationMetadata *translationMetadata `json:"translationMetadata,omitempty"`
	SupportedTaxonomies []componentRef       `json:"supportedTaxonomies,omitempty"`
	Rules               []descriptor         `json:"rules,omitempty"`
	Taxa                []taxon              `json:"taxa,omitempty"`
}

type translationMetadata struct {
	Name string `json:"name"`
}

type componentRef struct {
	Name  string `json:"name"`
	Index int    `json:"index"`
}

type descriptor struct {
	ID             string                 `json:"id"`
	Name           string                 `json:"name"`
	Short          *multiformat           `json:"shortDescription"`
	Full           *multiformat           `json:"fullDescription,omitempty"`
	Help           *multiformat           `json:"help,omitempty"`
	HelpURI        string                 `json:"helpUri,omitempty"`
	MessageStrings map[string]multiformat `json:"messageStrings"`
	Default        *configuration         `json:"defaultConfiguration,omitempty"`
	Relationships  []relationship         `json:"relationships,omitempty"`
	Properties     map[string]any         `json:"properties,omitempty"`
}

type configuration struct {
	Level string `json:"level"`
}

type taxon struct {
	ID      string `json:"id"`
	HelpURI string `json:"helpUri"`
}

type relationship struct {
	Target reference `json:"target"`
	Kinds  []string  `json:"kinds"`
}

type reference struct {
	ID            string       `json:"id"`
	ToolComponent componentRef `json:"toolComponent"`
}

type multiformat struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type messageText struct {
	Text      string   `json:"text"`
	ID        string   `json:"id,omitempty"`
	Arguments []string `json:"arguments,omitempty"`
}

type automation struct {
	ID          string       `json:"id"`
	Description *multiformat `json:"description,omitempty"`
}

type invocation struct {
	Successful    bool           `json:"executionSuccessful"`
	Notifications []notification `json:"toolExecutionNotifications,omitempty"`
}

type notification struct {
	Level   string      `json:"level"`
	Message messageText `json:"message"`
}

type result struct {
	RuleID          string            `json:"ruleId"`
	RuleIndex       int               `json:"ruleIndex"`
	Kind            string            `json:"kind"`
	Level           string            `json:"level"`
	Rank            float64           `json:"rank"`
	Message         messageText       `json:"message"`
	Locations       []location        `json:"locations"`
	Fingerprints    map[string]string `json:"partialFingerprints"`
	OccurrenceCount uint64            `json:"occurrenceCount"`
	Taxa            []reference       `json:"taxa,omitempty"`
	Suppressions    []suppression     `json:"suppressions,omitempty"`
	Properties      map[string]any    `json:"properties"`
}

type suppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification"`
}

type location struct {
	Physical physical  `json:"physicalLocation"`
	Logical  []logical `json:"logicalLocations"`
}

type physical struct {
	Artifact artifact `json:"artifactLocation"`
	Region   region   `json:"region"`
}

type artifact struct {
	URI string `json:"uri"`
}

type region struct {
	StartLine int `json:"startLine"`
}

type logical struct {
	Name               string `json:"name"`
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}
