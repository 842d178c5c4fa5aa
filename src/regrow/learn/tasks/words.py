"""Common English words of three to eight letters, by their first letter, that tasks speak of."""

from __future__ import annotations

_TEXT = """
able above accept across act add adult after again age agree air all allow almost alone along
also always among anger angle animal answer ant any apple arch area arm army art ask aunt autumn
away axe
baby back bad bag bake balance ball band bank bar barn base basket bath beach bean bear beat bed
bee before begin bell belt bench best better big bird birth bite black blue board boat body bone
book boot bottle bottom bowl box boy branch brave bread break bridge bright bring brother brown
brush build burn bus bush busy butter button buy
cabin cake call calm camel camp can candle cap car card care carry cart case cat catch cattle
cause cave ceiling center chain chair chalk change chase cheap cheek cheese child chin choose
church circle city class clay clean clear clever climb clock close cloth cloud club coal coast
coat coffee coin cold color comb come common cook cool copper corn corner cotton count country
course cousin cover cow cream cross crowd crown cry cup current curtain cut
daily damage dance danger dark date daughter day dead deal dear decide deep deer degree desert
desk dig dinner dirt dish distance dock doctor dog door doubt down dozen draw dream dress drink
drive drop drum dry duck dust duty
each eagle ear early earn earth east easy eat edge effect egg eight elbow eleven empty end enemy
engine enjoy enough enter equal even evening event ever every exact example eye
face fact fair fall family famous far farm farmer fast father fear feather feed feel fence field
fight figure fill find finger finish fire first fish five flag flat flavor flight floor flour
flow flower fly fold follow food foot forest forget fork form forward four fox free fresh friend
frog front fruit full fun future
gain game garden gate gather gentle ghost giant gift girl give glad glass glove glue goal goat
gold good goose grain grand grape grass gray great green ground group grow guard guess guest
guide guitar
habit hair half hall hammer hand handle happy harbor hard hat have hay head health hear heart
heat heavy height hello help hen here hide high hill history hold hole holiday home honest honey
hook hope horse hospital hot hotel hour house huge human hundred hungry hunt hurry husband
ice idea idle image in inch include income indeed ink inner insect inside into invent invite
iron island item
jacket jam jar jaw jelly jet jewel job join joint joke journey joy judge juice jump jungle just
keen keep kettle key kick kid kind king kiss kitchen kite knee knife knock knot know
ladder lady lake lamb lamp land language large last late laugh law lazy lead leaf learn leather
leave left leg lemon length lesson letter level library lid life lift light like line lion lip
list listen little live load loaf lock log lonely long look loose loud love low luck lunch
machine magic mail main make man many map march mark market mask match matter meal mean measure
meat medicine meet melt member memory merry message metal middle mile milk mill mind minute
mirror miss mix modern moment money monkey month moon morning most mother mountain mouse mouth
move much mud music
nail name narrow nation nature near neat neck need needle nest net never new news next nice
night nine noise none noon north nose note nothing notice now number nurse nut
oak oar ocean odd offer office often oil old olive once one onion only open orange order other
our out outside oven over owl own owner
page pain paint pair palace pale pan paper parent park part party pass past path pay peace pear
pen pencil people pepper perfect person piano pick picture piece pig pillow pilot pin pink pipe
place plain plan plane plant plate play please plenty pocket poem point polite pond pool poor
post pot potato pound pour powder power present press pretty price prince print prize promise
proud pull pump pupil pure purple push put puzzle
quality quarrel quarter queen question quick quiet quilt quite quiz
rabbit race radio rain raise ranch rare rat reach read ready real reason record red regular
remember repair repeat reply rest return rice rich ride right ring rise river road rob rock roll
roof room root rope rose rough round row rubber rug rule run rush
sad saddle safe sail salt same sand save say scale school science scissors score sea season seat
second secret see seed sell send sense seven shade shadow shake shape share sharp sheep sheet
shelf shell shine ship shirt shoe shop shore short shout show shut sick side sign silent silk
silver simple sing sister sit six size skill skin skirt sky sleep slow small smart smell smile
smoke smooth snake snow soap sock soft soil soldier some son song soon sorry sound soup sour
south space speak special speed spell spend spider spoon sport spring square stage stair stamp
star start state station stay steam steel step stick still stone stop store storm story stove
strange street string strong student study sudden sugar suit summer sun supper sure surprise
sweet swim
table tail tailor take talk tall tame taste tea teach team tear tell ten tent test thank thick
thin thing think thirsty thread three throat throw thumb thunder ticket tidy tie tiger time tin
tiny tired today toe together tomato tongue tool tooth top total touch tower town toy track
trade train travel tray tree trip trouble truck true trunk trust try tune turn turtle twelve
twin two
ugly umbrella uncle under union unit until up upper upstairs use useful usual
valley value van vase velvet very village violin visit voice vote voyage
wagon waist wait wake walk wall want war warm wash waste watch water wave wax way weak wear
weather wedding week weigh welcome well west wet whale wheat wheel where whistle white whole
wide wife wild win wind window wine wing winter wire wise wish woman wonder wood wool word work
world worm worry write wrong
yard year yellow yes young youth
zebra zero zone zoo
"""

WORDS: tuple[str, ...] = tuple(sorted(word for word in _TEXT.split() if 3 <= len(word) <= 8))
"""sorted, each once"""

BY_LETTER: dict[str, tuple[str, ...]] = {
    letter: tuple(word for word in WORDS if word[0] == letter)
    for letter in sorted({word[0] for word in WORDS})
}
