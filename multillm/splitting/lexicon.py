"""The words that tell a request from a statement, a constraint or an object.

The sets are of general English, not of any data set; British and American spellings stand side by side.
"""

from __future__ import annotations

__all__ = [
    "AUXILIARIES",
    "CHANGING_VERBS",
    "CONSTRAINT_VERBS",
    "DELIVERABLES",
    "DETERMINERS",
    "FUNCTION_WORDS",
    "JUDGING_VERBS",
    "LOOKING_VERBS",
    "MAKING_VERBS",
    "MEASURING_VERBS",
    "NOUN_LIKE_VERBS",
    "OBJECT_OPENERS",
    "PREPOSITIONS",
    "REPAIRING_VERBS",
    "REQUEST_VERBS",
    "STEP_VERBS",
    "TELLING_VERBS",
    "TEXT_VERBS",
    "WH_WORDS",
    "words",
]


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


REQUEST_VERBS = words("""
run adapt add advise analyse analyze announce animate annotate answer argue arrange assess audit balance brainstorm
build calculate categorise categorize characterise characterize choose cite clarify classify clean code collect come
compare compile complete compose compute condense configure construct continue contrast convert convince correct
count craft create critique customise customize debug decide deduce define deploy derive describe design determine
develop devise diagnose differentiate discuss distil distill document draft draw edit elaborate eliminate enumerate
establish estimate evaluate examine expand explain explore extend extract factor figure find fix flag forecast
formulate generate give guess guide harden highlight identify illustrate imagine implement improve infer inspect
integrate interpret introduce invent investigate judge justify lay leave list localise localize look make map mark
measure memorise merge migrate minimise minimize model modernise modernize name negotiate normalise normalize note
optimise optimize order organise organize outline paraphrase parse patch pick pinpoint pitch plan plot poke polish
port predict prepare present pretend prioritise prioritize produce profile pronounce proofread propose prove provide
pull put quantify query quiz quote rank rate rearrange recap recommend reconcile reconstruct redesign reduce
refactor refine reformat reimplement rename render reorganise reorganize repair rephrase report research resolve
respond restructure review revise reword rewrite role-play rule sanity-check scaffold scale schedule score script
search select send set shorten show simplify simulate size sketch solve sort speak specify spell split spot
standardise state strip structure subtitle suggest sum summarise summarize swap tabulate talk teach tell test tidy
touch transcribe transform translate troubleshoot tune turn update upgrade validate value verify vet visualise
visualize walk weigh work wrap write challenge check comment flesh finish double-check recite reply back-translate
minify transpile benchmark refute dispute greet thank congratulate invite remind warn persuade motivate narrate sing
apologise apologize act say unit-test word phrase retell spec style theme type uninstall enable disable secure
dockerise dockerize containerise containerize instrument mock stub lint automate speed price budget vote rebut grade
assign allocate reserve book buy gather hypothesise hypothesize decode encode encrypt decrypt download upload fetch
crawl scrape wire expose handle cache log monitor backtest retrain train fine-tune vectorise vectorize impute
interpolate smooth fit regress cluster bootstrap factorise factorize invert diagonalise diagonalize apply use-case
storyboard coach nominate hook proof cut boil prune rework reorder proof-read fact-check post group seed sharpen
play listen watch dim chart graph diagram fuzz index loop referee trace tally total bundle publish release ship
archive hash obfuscate tokenise tokenize lemmatise lemmatize embed quantise quantize sample discretise discretize
linearise linearize substitute approximate bound contextualise contextualize situate chronicle recount dramatise
dramatize satirise satirize parody caption tag tweet text phone reschedule cancel confirm anticipate foresee
reverse-engineer reverse round subtract multiply divide subnet partition segment footnote alphabetise alphabetize
deduplicate dedupe dedup concatenate memoise memoize parallelise parallelize paginate batch stream serialise
serialize deserialise deserialize provision roll revert rollback bisect squash rebase clone fork commit reproduce
replicate repeat falsify corroborate substantiate source summon sanitise sanitize redact anonymise anonymize
pseudonymise harmonise harmonize transpose orchestrate notate choreograph season marinate knit crochet sew thread
trim roast grill bake brew pair cost appraise invoice bill itemise itemize amortise amortize depreciate hedge
rebalance diversify project extrapolate triage dose titrate counsel interview survey poll canvass moderate
facilitate mediate arbitrate rebuild rerun resample rescale retitle retarget recolour recolor crop resize mask blur
post-edit cross-check spell-check hand-pick strategise strategize theorise theorize speculate contest oppose defend
support endorse champion ideate riff jot scribble pen ghostwrite
""")
"""Base forms that open a request."""

NOUN_LIKE_VERBS = words("""
run answer audit balance benchmark boil challenge check clean code comment complete count cut debug design document
draft estimate factor finish fix flag forecast group guess guide highlight hook judge lay leave list look map mark
measure merge model name note order outline patch pick pitch plan plot post present produce profile proof prune pull
query quiz quote rank rate recap reply report research review rule scale schedule score script search seed select
send set show size sketch sort spell split spot state strip structure sum swap talk test touch tune turn update
upgrade value walk work wrap correct clarify narrow extract export import contrast word phrase style spec theme type
budget price cache speed smooth fit cluster train grade vote mock stub handle log monitor wire book secure act coach
thank wish use load fuel water store service help need trade demo chart graph index loop trace total bundle release
ship archive hash sample bound caption tag tweet text phone cancel reverse round batch stream provision fork commit
repeat source season thread trim roast grill pair cost bill hedge project triage dose survey poll mask crop contest
support champion pen embed segment
""")
"""Those that are as often a noun or adjective: they want an object before they count."""

STEP_VERBS = words("""
add apply attach average call check close collect compute count cut delete display divide draw drop email fill
filter find flag get group highlight leave list load log look map mark merge move notify open order parse pick plot
post press print pull push put query rank read redirect reject remove rename render replace report reset resolve
restart return run save search select send set show skip sort split start stop store strip submit swap tag take test
turn update upload validate verify wait finish
""")
"""What programs and procedures do: often a step within one deliverable."""

CONSTRAINT_VERBS = words("""
adhere aim allow always assume avoid base be begin bear bring bullet cap cite confine consider cover credit do don't
dont don’t emphasise emphasize end ensure exclude favor favour feel focus follow format go group have ignore include
indicate insist keep let limit maintain make mention mind mimic never number omit only pay prefer preserve quote
reference refer remember respect restrict return skip stay stick start support target treat try use watch
""")
"""Verbs that shape the answer to another request."""

LOOKING_VERBS = words("listen consider examine go look open read see study take use")
"""Verbs that point at the input and ask for nothing yet."""

JUDGING_VERBS = words("""
analyse analyze assess audit check critique take have go look listen lint read referee tell debug diagnose
double-check evaluate examine fact-check find flag identify inspect investigate judge list mark poke profile
proofread rate review spot test validate verify vet
""")
"""Verbs whose product is a set of findings."""

FUNCTION_WORDS = words("""
about above across after again against ago ahead all almost along already alright although always among and another
around as aside at away back because before behind below beneath besides best better between beyond both but by
certainly clearly consequently currently despite down during each early either else especially essentially even ever
every everything exactly except few fewer finally for forever former from further generally given good great half
hardly hello hence her here him his hopefully how however i if in including indeed inside instead into it its just
last late later latter least less like likely likewise long many maybe me meanwhile mere mine more most much my
myself near neither never nevertheless new next no none nor not nothing now nowadays of off often old on once one
only onto or other otherwise our out outside over overall own particularly past per perhaps please plus possibly
probably quite rather re really recently regarding right roughly same second seldom several she since sir so some
something sometimes somewhere soon sorry still such thank than that the their them then there therefore these they
thing this those though through throughout thus till to today together tomorrow tonight too toward towards under
unless unlike until up upon us usually versus very via we well what whatever when whenever where whereas wherever
whether which whichever while who whoever whole whom whose why with within without worse yes yesterday yet you your
yours year day week month night morning bye hi hey thanks cheers dear ok okay oh nope yeah someone anyone everyone
nobody being been able unable ask let
""")
"""Words that are never the verb of an imperative."""

OBJECT_OPENERS = words(
    "a an the this these those my our your his her its their it them him me us each every any two three four five some"
)
"""Words that open an object: an unknown word before one of them is taken for a verb."""

MAKING_VERBS = words("""
write create design draft build implement plan prepare compute calculate derive develop formulate invent compose
sketch propose generate make produce code need construct work estimate price size simulate model outline train plot
chart suggest name brainstorm devise craft pose scaffold script put give extract pull collect gather compile
""")
"""Verbs that bring something new into being."""

CHANGING_VERBS = words("""
refactor rewrite fix patch correct port convert redesign revise adapt rework turn transform split break render
rebalance extend add
""")
"""Verbs whose product is a changed version of what was given."""

TELLING_VERBS = words("explain describe define tell state say quiz discuss teach show walk")
"""Verbs whose product is an explanation, which later requests seldom need."""

MEASURING_VERBS = words("""
calculate compute derive estimate evaluate find integrate solve work size price determine measure count sum
""")
"""Verbs whose product is a figure."""

REPAIRING_VERBS = words("""
address correct eliminate fix harden improve patch prioritise prioritize rank rectify refactor remedy remove repair
resolve revise reword rework rewrite tighten strengthen simplify optimise optimize rebalance close
""")
"""Verbs that act upon findings."""

TEXT_VERBS = words("""
back-translate categorise categorize classify clean condense continue convert correct edit extract fix format
improve make paraphrase polish proofread put rearrange reformat rephrase replace reword rewrite say shorten simplify
sort spell subtitle summarise summarize tidy tl;dr tldr transcribe translate turn parse label
""")
"""Verbs whose input often follows a colon."""

DETERMINERS = words("""
a an the this that these those my our your his her its their some any each every all both no another one two three
four five six seven eight nine ten several few many more me us it them him you what which whether how why who whose
where when if they're they’re it's it’s that's there's there are anything whatever everything something for as out
up into through over
""")
"""Words that show that a verb has its object after it."""

WH_WORDS = words(
    "what what's whats what’s why how how's which who who's whose whom when where where's wheres whos why's"
)

AUXILIARIES = words("""
is are was were am isn't aren't do does did don't doesn't didn't can can't could couldn't will would wouldn't won't
should shouldn't shall may might must has have had hasn't haven't
""")

DELIVERABLES = words("""
article blurb changelog chart checklist comment comments config configuration description diagram doc docs docstring
docstrings documentation documents email endpoint essay example examples explanation faq function glossary guide
headline hook job letter list manual memo message migration note notes page paragraph pipeline plan poem post query
quiz readme recommendation report review runbook schedule script sketch slogan spreadsheet story subject summary
table template test tests timeline title toast translation tutorial workflow ad advert agenda announcement brief
briefing budget caption card copy dashboard dockerfile draft flowchart forecast invoice itinerary label leaflet
makefile module notice one-liner outline parser playlist policy poster press proposal prototype sentence sentences
bullets quote regex reply rota section snippet speech statement survey tweet version walkthrough widget worksheet
""")
"""Nouns that name a deliverable."""

PREPOSITIONS = words("""
of for from with to in on at by about into onto over under between against as using after before without within per
like around through behind than
""")
