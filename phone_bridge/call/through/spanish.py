"""How one asks in Spanish to be put through; accents are taken off before ("páseme" is ``paseme``).

A "no" before a verb denies it ("no quiero hablar con recepción"), so it may stand before an order alone, where a denial
would be worded otherwise ("no me pase").
"""

from phone_bridge.call.through.tongue import tongue

_SPELLING = {
    "al": "a el",
    "del": "de el",
    "conmigo": "con migo",
    "ok": "bueno",
    "okey": "bueno",
    "licenciado": "lic",
    "porfavor": "por favor",
    "por fa": "por favor",
    "porfa": "por favor",
}
_BESIDES = """
y o pero no ni nadie hoy manana tarde noche luego despues antes cuando si a las los lunes martes miercoles jueves
viernes sabado domingo semana mes ano hora horas minuto minutos enero febrero marzo abril mayo junio julio agosto
septiembre octubre noviembre diciembre uno dos tres cuatro cinco seis siete ocho nueve diez once doce yo me mi mis tu
su usted ustedes el ella ellos nosotros cita citas reunion reuniones agenda calendario llamada llamadas es son esta
estan fue quiero puedo puede cancele cancela mueva recuerde diga por favor ahora que quien como donde porque migo sigo
"""
_GRAMMAR = """
lead = mejor | hola | buenos dias | buenas (tardes | noches) | buenas | bueno | ahora | pues | bien | vale | si |
  entonces | oiga | disculpe | perdone | perdon | por favor | mire | gracias | y | claro | a ver | este | aja;
firm = <lead> | no;
soft = por favor | ahora | mejor | directamente | ya | solo | simplemente | mismo | inmediatamente | entonces;
tail = por favor | gracias | ahora [mismo] | ya [mismo] | no con <machine> | si es posible | si puede [ser] | si es
  tan amable | mejor | en lugar de eso | directamente | inmediatamente;
article = un | una | el | la | los | las | su | algun | alguna | otro | otra;
real = real | tecnico | reales | humano | humana | de verdad | de carne y hueso | fisica | viva | cualquiera;
job = persona | humano | humana | ser humano | operador | operadora | agente | asesor | asesora | representante |
  empleado | empleada | encargado | encargada | gerente | supervisor | supervisora | recepcionista | ejecutivo |
  ejecutiva | responsable | secretaria | companero | companera | telefonista | tecnico | tecnica | vendedor |
  vendedora;
body = alguien | cualquiera | quien sea;
desk = recepcion | la recepcion | atencion a el cliente | servicio a el cliente | atencion a clientes | centralita |
  la centralita | el conmutador | conmutador | informacion | soporte [tecnico];
person = [<article>] <job> [<real>] | <body> [mas | <real>] | <desk> | <body> de <desk> | (una persona | alguien) (que
  me atienda | que me ayude);
order = paseme | pasame | paseme usted | comuniqueme | comunicame | conecteme | conectame | transfierame |
  transfiereme | transfiera me | enlaceme | derivame | deriveme | paseme la llamada;
stand = pongame | ponme;
give = pasar | comunicar | poner | conectar | transferir | enlazar | derivar;
giveme = pasarme | comunicarme | ponerme | conectarme | transferirme | derivarme | enlazarme;
can = puede | puedes | podes | podria | podrias | quiere | le importaria | seria tan amable de | haria el favor de;
ask = me <can> <soft>* <give> | <can> <soft>* <giveme> | me (pasa | comunica | pone | conecta | transfiere | pasas |
  comunicas) | (transfiera | pase | transfiere | pasa) (mi | esta | la) llamada | (quiero | quisiera | necesito | me
  gustaria) que me (pase | pasen | comunique | comuniquen | ponga | pongan | transfiera | transfieran | conecte |
  pases);
want = quiero | quisiera | queria | me gustaria | necesito | deseo | prefiero | preferiria | requiero | ocupo | lo que
  quiero es | solo quiero;
wish = (<want> | puedo | podria | se puede | se podria | es posible | seria posible | dejeme | dejame | permitame |
  hay (forma | manera) de) <soft>* (hablar | platicar | comunicarme) <soft>* con | hablar con | comunicarme con;
callee = [el | la | los | las] [departamento de | area de | oficina de] [el | la | los] <name> | (<body> | una persona
  | un agente | un asesor) (de | en) [el | la] [departamento de] [el | la] <name>;
to = con | a | para | hacia;
machine = (una | un | esta | la | el) (maquina | robot | computadora | ordenador | contestador | contestadora |
  grabacion | asistente | bot | ia) | maquinas | robots;
stranger = [el | la | los | las] <unknown>;
anyone = <firm>* (<order> <soft>* [<to> <person>] | <stand> <soft>* con <person>) <tail>* | <lead>* (<ask> <soft>*
  <to> <person> | me <can> <soft>* (pasar | comunicar | transferir) [con] | <wish> <person> | <want> <article> <job>
  [<real>] | <want> <body> <real> | no quiero hablar con <machine> [[sino] [<want> hablar] con <person>] | <want> a
  <body> | (me (atiende | puede atender)) <person> | <want> que me (atienda | ayude) <person> | hay <person> que me
  (pueda | puede) atender | <giveme> con <person> | hay (<person>) con (quien | la que | el que | el cual) (pueda |
  puedo | podria) hablar | <bare>) <tail>*;
bare = [el | la | un | una] (operador | operadora | recepcionista) | (un | una) <job> [<real>] | persona real |
  atencion a el cliente | servicio a el cliente | (agente | humano | persona) por favor | centralita;
named = <firm>* (<order> <soft>* <to> <callee> | <stand> <soft>* con <callee>) <tail>* | <lead>* (<ask> <soft>* <to>
  <callee> | <wish> <callee>) <tail>*;
other = <firm>* (<order> | <stand>) <soft>* con <stranger> <tail>* | <lead>* <ask> <soft>* con <stranger> <tail>*;
answer = <firm>* [con | a | quiero] <callee> <tail>*;
whoever = <firm>* (<body> | me da igual | da igual | no importa | el que sea | la que sea | cualquiera de (los | las)
  dos | quien este) <tail>*;
"""

SPANISH = tongue(spelling=_SPELLING, fillers="eh em mm hm hmm ah eeh este", besides=_BESIDES, grammar=_GRAMMAR)
