"""Words that people in Japan make passwords of, beside the lists that are known everywhere."""

#: In Latin letters, as they are typed; a word with a year or a sign hung on is one of them too.
COMMON_WORDS = frozenset(
    """
    akachan akane akari akira anata angou anpanman anzen aoi aoyama arashi arigato arigatou asahi
    asuka ayaka ayumi baby bakugan banana beppu biwako bokutachi budou byouin cherry chiba chihiro
    chikyuu chocolate chokotto daisuke daisuki denki densha disney docomo dokidoki doraemon
    dragonball ehime eigo eiji eikaiwa ensoku erika fujisan fujita fukkatsu fukui fukuoka
    fukushima furusato futari gakkou ganbare ganbaru ganbatte genki ghibli gifu ginga gohan goku
    gundam gunma guruguru hachi hajime hamasaki hanabi hanako haruka haruki harumi haruto hawaii
    hayashi hello hikari hikaru himawari himitsu hinata hirake hiroki hiroko hiroshi hiroshima
    hitomi hogehoge hogosha hoiku hoikuen hokkaido honda hoshi hyogo ibaraki ichigo ichiro ikuji
    ishikawa itsuki iwate jidou jiyuu kagawa kagoshima kaito kanagawa kansai kanto kaori kasumi
    katsuo kawaii kazoku kazuki kazuko keiko keitai kenji kenta kirakira kirara kitty kobe kodomo
    kokoro konbanwa konnichiha konnichiwa koala korilakkuma kosodate kotori kouchi koukou kumamon
    kumamoto kuruma kyoto kyushu maebashi maiko maimai makoto mamachan mamapapa manabu manga mario
    masaki masako matsuri mayumi megumi michiko midori mikan minami minato minecraft minna miracle
    misaki mitsuki miyagi miyazaki miyuki mizuki momiji momoka momoko momotaro moshimoshi musashi
    nagano nagasaki nagoya nakama nakamura namie nanami naoki naruto natsu natsuki natsumi
    natsuyasumi neko nekochan nemuri nenkin nihon niigata nikoniko ninja nintendo nippon nobita
    ohayo ohayou ohisama okaasan okane okayama okinawa omedetou onegai onepiece onigiri osaka
    otousan otsukare oyasumi oyako panda papamama pasuwado pasuwaado pikachu pokemon pokopoko
    princess ramen ramune ranran rilakkuma ringo rurouni ryota ryuji saga sailormoon saitama sakura
    sakurako samurai satoshi satou sayaka sayonara sayuri seiko sekai sendai shiawase shibuya
    shiga shimane shinchan shingo shinjuku shinkansen shizuoka shogakkou shokupan shota softbank
    sora soraneko sugoku suiyoubi sumire sushi suzuki suzume taiyou takahashi takashi takeshi
    tamagotchi tamago tanaka tanuki tarou teddy tenki tennis tetsuya tochigi tokai tokushima tokyo
    tomoko tomomi tonari totoro tottori toyama toyota tsubasa tsuki tsukuba umeboshi unchi usagi
    wakaba wakayama watanabe watashi yakult yakyuu yamada yamagata yamaguchi yamamoto yamanashi
    yamato yasashii yasuko yokohama yoshida youchien youkoso yukari yukiko yumeka yuna yuuki yuuto
    zenzen zutto
    """.split()  # noqa: SIM905 - a list of 330 quoted words cannot be read
)
